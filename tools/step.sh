#!/bin/sh
# Run one long step of the Makefile: tools/step.sh KIND TITLE COMMAND...
#
# Prints the title. Stays quiet while all is well. When the command fails, prints its output, what failed and what to do,
# which depends on KIND (pip, npm, build) and on whether the network was the cause.
set -u

kind=$1 title=$2
shift 2

log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
trap 'exit 130' INT TERM

echo "$title…"
"$@" >"$log" 2>&1
status=$?
[ "$status" -eq 0 ] && exit 0

# Without stack frames and repeated attempts, which hide the cause.
grep -vE '^npm (error|ERR!) +at |^WARNING: Retrying|^npm (error|ERR!)$' "$log" | tail -n 40 >&2

unreachable='ECONNREFUSED|ECONNRESET|ENOTFOUND|ETIMEDOUT|EAI_AGAIN|ERR_SOCKET|ERR_INVALID_URL|UNABLE_TO_|CERT_'
unreachable="$unreachable|NewConnectionError|NameResolutionError|ConnectTimeoutError|ReadTimeoutError|ProxyError|SSLError"
network=$(grep -cE "$unreachable" "$log")

{
  echo
  echo "Failed: ${title%% (*} (exit status $status)"
  if grep -q 'ENOSPC\|No space left on device' "$log"; then
    echo "The disk is full. Free some space and run the same command again."
  elif [ "$kind" = pip ] && [ "$network" -gt 0 ]; then
    echo "The Python package index cannot be reached. Check the network and the proxy (HTTPS_PROXY), or set PIP_INDEX_URL"
    echo "to an index that this machine can reach. Then run the same command again."
  elif [ "$kind" = npm ] && [ "$network" -gt 0 ]; then
    echo "The npm registry cannot be reached. Check the network and the proxy (HTTPS_PROXY), or set npm_config_registry"
    echo "to a registry that this machine can reach. Then run the same command again."
  elif [ "$kind" = pip ]; then
    echo "See the message above. If it names a package, the package index may lack that version: set PIP_INDEX_URL to"
    echo "another index. To start over, remove .venv and run the same command again."
  elif [ "$kind" = npm ]; then
    echo "See the message above. If package-lock.json does not match package.json, run \`make lock\`. To start over,"
    echo "remove apps/web/node_modules and run the same command again."
  else
    echo "Fix the errors above and run the same command again."
  fi
} >&2
exit "$status"
