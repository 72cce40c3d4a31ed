#!/bin/sh
# Packs the working corpus of a target into tests/data/fuzz/<target>.txt, one input a line in
# base64, which `cargo test` runs; or unpacks it for the fuzzer; or keeps an input that failed in
# tests/data/fuzz/<target>.found.txt, which packing leaves alone.
#
#     tests/fuzz/corpus.sh unpack decode
#     tests/fuzz/corpus.sh pack decode
#     tests/fuzz/corpus.sh found decode FILE
set -eu
input=$(realpath "${3:-.}")
cd "$(dirname "$0")"
packed="../data/fuzz/$2.txt"
found="../data/fuzz/$2.found.txt"
case "$1" in
unpack)
    mkdir -p "corpus/$2"
    number=0
    # Nothing may have failed yet.
    cat "$packed" "$found" 2>/dev/null | while read -r line; do
        number=$((number + 1))
        printf %s "$line" | base64 -d > "corpus/$2/packed-$number"
    done
    ;;
pack)
    for input in "corpus/$2"/*; do
        base64 < "$input" | tr -d '\n'
        echo
    done | LC_ALL=C sort -u > "$packed"
    ;;
found)
    base64 < "$input" | tr -d '\n' >> "$found"
    echo >> "$found"
    ;;
*)
    echo "usage: $0 pack|unpack target, or found target input" >&2
    exit 2
    ;;
esac
