#!/usr/bin/env bash
# Validates the committed documents, generates types for Python and TypeScript with the usual
# generators, and lets both verify and decode requests that labhook signs now. A language whose
# tools cannot be had is skipped. Everything that is installed or generated is under target/.
set -euo pipefail
cd "$(dirname "$0")"
documents=$PWD
fixtures=$(cd ../../tests/data/lab && pwd)
# The receivers are in the guide.
guide=$(cd ../../src/guide/other_languages && pwd)
target=${CARGO_TARGET_DIR:-../../target}
mkdir -p "$target/schemas/python" "$target/schemas/typescript"
work=$(cd "$target/schemas" && pwd)

skip() { printf 'skipped: %s\n' "$*"; }
# Whether these files are the ones that were installed last.
installed() { cmp -s "$1" "$2"; }

python() {
    local venv=$work/python/venv
    if ! installed python/requirements.txt "$venv/requirements.txt"; then
        rm -rf "$venv"
        python3 -m venv "$venv" >"$work/python/install.txt" 2>&1 &&
            timeout 300 "$venv/bin/pip" --disable-pip-version-check install --quiet \
                -r python/requirements.txt >>"$work/python/install.txt" 2>&1 || return 1
        cp python/requirements.txt "$venv/requirements.txt"
    fi
}

check_python() {
    cp python/*.py "$guide/receiver.py" "$work/python"
    cd "$work/python"
    # As in the guide's chapter on other languages, and so is the command for TypeScript below.
    venv/bin/datamodel-codegen --input "$documents/openapi.json" --input-file-type openapi \
        --output lab_events.py --output-model-type pydantic_v2.BaseModel \
        --enum-field-as-literal all --collapse-root-models --use-annotated 2>generator.txt ||
        { cat generator.txt; return 1; }
    venv/bin/mypy --strict --disable-error-code import-untyped --no-error-summary receiver.py check.py
    venv/bin/python check.py "$documents" "$fixtures" "$work/signed.json"
}

typescript() {
    local there=$work/typescript
    if ! installed typescript/package-lock.json "$there/installed.json"; then
        cp typescript/package.json typescript/package-lock.json "$there"
        (cd "$there" && timeout 300 npm ci --ignore-scripts --no-audit --no-fund) \
            >"$there/install.txt" 2>&1 || return 1
        cp typescript/package-lock.json "$there/installed.json"
    fi
}

check_typescript() {
    cp typescript/*.ts "$guide/receiver.ts" typescript/*.json lab-events.schema.json "$work/typescript"
    cd "$work/typescript"
    npx --no-install json2ts --unknownAny --input lab-events.schema.json --output lab-events.ts
    npx --no-install tsc
    node out/check.js "$documents/asyncapi.json" "$work/signed.json"
}

cargo run --locked --quiet -p schemas -- signed "$work/signed.json"
if ! command -v python3 >/dev/null; then
    skip 'no python3'
elif ! python; then
    skip "the Python packages cannot be installed: see $work/python/install.txt"
else
    (check_python)
fi
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    skip 'no node or no npm'
elif ! typescript; then
    skip "the npm packages cannot be installed: see $work/typescript/install.txt"
else
    (check_typescript)
fi
