#!/usr/bin/env bash
# One command of the GitHub Action (action.yml). Reads its inputs from the environment, for nothing of a workflow's text is
# ever part of a command line. Writes what the tool says to the log and to the summary of the job.
set -euo pipefail
summary="${GITHUB_STEP_SUMMARY:-/dev/null}"
outputs="${GITHUB_OUTPUT:-/dev/null}"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

# Runs the tool, shows what it says, and gives its exit status.
tool() {
  local status=0
  node "$CLI" "$@" > "$work/said" 2>&1 || status=$?
  cat "$work/said"
  { echo "### $COMMAND"; echo '```'; cat "$work/said"; echo '```'; } >> "$summary"
  return "$status"
}

case "$COMMAND" in
  check-config)
    [ -n "$ENV_FILE" ] || { echo "::error::env-file is required" >&2; exit 2; }
    # A file of settings names no secrets. Each that production needs gets a stand-in of the right shape.
    node "$(dirname "$0")/stand-ins.ts" "$ENV_FILE" "$PLATFORM" "$ROLE" > "$work/env"
    status=0
    env -i PATH="$PATH" node --env-file="$work/env" "$CLI" check-config --platform "$PLATFORM" --role "$ROLE" \
      > "$work/said" 2>&1 || status=$?
    cat "$work/said"
    { echo '### check-config'; echo '```'; cat "$work/said"; echo '```'; } >> "$summary"
    exit "$status"
    ;;
  policy-test)
    [ -n "$FILES" ] || { echo "::error::files is required" >&2; exit 2; }
    read -ra files <<< "$(tr '\n' ' ' <<< "$FILES")"
    # The same cases once more as JUnit XML, for whatever reads test reports. Only the run below decides.
    [ -z "${JUNIT:-}" ] || node "$CLI" policy test "${files[@]}" ${POLICY:+--policy "$POLICY"} --junit > "$JUNIT" || true
    tool policy test "${files[@]}" ${POLICY:+--policy "$POLICY"}
    ;;
  policy-diff)
    [ -n "$POLICY" ] || { echo "::error::policy is required" >&2; exit 2; }
    git show "$BASE:./$POLICY" > "$work/base-${POLICY##*/}" || { echo "::error::no $POLICY at $BASE" >&2; exit 2; }
    base="$work/base-${POLICY##*/}"
    # 1 says that something changes, which a reviewer judges, or that a policy is invalid, which gives `error`.
    status=0
    node "$CLI" policy diff "$base" "$POLICY" --json > "$work/json" || status=$?
    if [ "$status" -gt 1 ] || ! [ -s "$work/json" ] || grep -q '^{"error":' "$work/json"; then exit 2; fi
    node "$CLI" policy diff "$base" "$POLICY" || true
    { echo "### policy-diff of $POLICY"; node "$CLI" policy diff "$base" "$POLICY" --markdown || true; } > "$work/comment"
    cat "$work/comment" >> "$summary"
    [ -z "${COMMENT_TOKEN:-}" ] || node "$(dirname "$0")/comment.ts" "$work/comment" "policy-diff $POLICY"
    [ "$status" -eq 1 ] && echo 'changed=true' >> "$outputs" || echo 'changed=false' >> "$outputs"
    ;;
  *)
    echo "::error::command is check-config, policy-test or policy-diff" >&2
    exit 2
    ;;
esac
