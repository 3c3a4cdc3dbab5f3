#!/bin/sh
# Checks a server, and leaves all reports in a folder; ends with the exit code of the check.
#
#   SSEPROOF_URL       the URL of the stream, if no target file has it
#   SSEPROOF_TARGET    the target file
#   SSEPROOF_KNOWN     the list of known failures
#   SSEPROOF_ARGS      more arguments of `sseproof check`; quotation marks and \ are read as in a shell,
#                      and nothing else is
#   SSEPROOF_REPORTS   the folder of the reports (default: sseproof-reports)
#
# The action runs this file, and the GitLab component has its text.
set -eu

reports=${SSEPROOF_REPORTS:-sseproof-reports}
mkdir -p "$reports"
reports=$(cd "$reports" && pwd)
rm -f "$reports/sseproof.json"

set -- --json "$reports/sseproof.json" --junit "$reports/sseproof.xml" \
  --html "$reports/sseproof.html" --markdown "$reports/sseproof.md" \
  --sarif "$reports/sseproof.sarif" --gitlab "$reports/sseproof.gitlab.json" \
  --record "$reports/sseproof.jsonl" --wire-log "$reports/logs"
if [ -n "${SSEPROOF_TARGET:-}" ]; then set -- "$@" --target "$SSEPROOF_TARGET"; fi
if [ -n "${SSEPROOF_KNOWN:-}" ]; then set -- "$@" --known "$SSEPROOF_KNOWN"; fi
if [ -n "${SSEPROOF_ARGS:-}" ]; then
  # xargs reads quotation marks, and runs nothing of the text; an argument has no line feed.
  if ! words=$(printf '%s\n' "$SSEPROOF_ARGS" | xargs -n 1 printf '%s\n'); then
    echo 'sseproof: a quotation mark is missing in the arguments' >&2
    exit 2
  fi
  while IFS= read -r word; do set -- "$@" "$word"; done <<WORDS
$words
WORDS
fi
if [ -n "${SSEPROOF_URL:-}" ]; then set -- "$@" -- "$SSEPROOF_URL"; fi

code=0
sseproof check "$@" || code=$?
outcome=''
if [ -f "$reports/sseproof.json" ]; then
  outcome=$(sed -n 's/^  "outcome": "\([a-z]*\)",$/\1/p' "$reports/sseproof.json")
fi
case $code,$outcome in
  0,held) verdict=passed ;;
  1,broken) verdict=broken ;;
  *,unproven) verdict=inconclusive ;;
  *) verdict=error ;;
esac
if [ -n "${GITHUB_OUTPUT:-}" ]; then
  {
    echo "verdict=$verdict"
    echo "exit-code=$code"
    echo "reports=$reports"
    echo "sarif=$reports/sseproof.sarif"
  } >>"$GITHUB_OUTPUT"
fi
exit "$code"
