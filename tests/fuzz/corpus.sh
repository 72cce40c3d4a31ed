#!/bin/sh
# Packs the working corpus of a target into tests/data/fuzz/<target>.txt, one input a line in
# base64, which `cargo test` runs; or unpacks it for the fuzzer.
#
#     tests/fuzz/corpus.sh unpack decode
#     tests/fuzz/corpus.sh pack decode
set -eu
cd "$(dirname "$0")"
packed="../data/fuzz/$2.txt"
case "$1" in
unpack)
    mkdir -p "corpus/$2"
    number=0
    while read -r line; do
        number=$((number + 1))
        printf %s "$line" | base64 -d > "corpus/$2/packed-$number"
    done < "$packed"
    ;;
pack)
    for input in "corpus/$2"/*; do
        base64 < "$input" | tr -d '\n'
        echo
    done | LC_ALL=C sort -u > "$packed"
    ;;
*)
    echo "usage: $0 pack|unpack target" >&2
    exit 2
    ;;
esac
