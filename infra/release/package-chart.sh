#!/usr/bin/env bash
# Packages the chart so that its default image is the one of this release, by digest: package-chart.sh IMAGE DIGEST FOLDER
set -euo pipefail
image="$1" digest="$2" folder="$3"
[[ "$digest" =~ ^sha256:[0-9a-f]{64}$ ]] || { echo "not a digest: $digest" >&2; exit 1; }
root="$(cd "$(dirname "$0")/../.." && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
# -L: the dashboard and the alerts are links into the kustomize base.
cp -RL "$root/infra/helm/tgefd-authorizer" "$work/"
chart="$work/tgefd-authorizer"
sed -i -e "s|^  repository: .*|  repository: $image|" -e "s|^  digest: .*|  digest: $digest|" "$chart/values.yaml"
grep -qx "  repository: $image" "$chart/values.yaml" && grep -qx "  digest: $digest" "$chart/values.yaml"
"${HELM:-helm}" package "$chart" --destination "$folder"
