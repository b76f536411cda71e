#!/bin/sh
# Adds the extras $EXTRAS to the virtual environment $VENV and writes $STAMP. Two runs at once wait for one another,
# and an interrupted one is finished by the next: the stamp is written last.
set -eu
mkdir -p "$VENV"
lock="$VENV.lock"
waited=0
until mkdir "$lock" 2>/dev/null; do
    pid=$(cat "$lock/pid" 2>/dev/null || echo "")
    if [ -n "$pid" ] && ! kill -0 "$pid" 2>/dev/null; then
        rm -rf "$lock"  # its owner was interrupted
        continue
    fi
    waited=$((waited + 1))
    if [ "$waited" -gt 900 ]; then
        echo "another run has been preparing $VENV for 15 minutes; if none is, remove $lock" >&2
        exit 1
    fi
    [ "$waited" -gt 1 ] || echo "another run is preparing $VENV; waiting for it" >&2
    sleep 1
done
echo $$ > "$lock/pid"
trap 'rm -rf "$lock"' EXIT
trap 'exit 130' INT TERM
[ -f "$STAMP" ] && [ ! pyproject.toml -nt "$STAMP" ] && [ ! constraints.txt -nt "$STAMP" ] && exit 0
echo "preparing $VENV for $EXTRAS (once; a minute or two) ..." >&2
[ -x "$VENV/bin/python" ] && "$VENV/bin/python" -c '' 2>/dev/null || "$PYTHON" -m venv --clear "$VENV"
PIP_CONSTRAINT=constraints.txt "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --constraint constraints.txt \
    --editable ".[$EXTRAS]"
touch "$STAMP"
