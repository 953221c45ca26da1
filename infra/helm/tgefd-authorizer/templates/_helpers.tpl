{{- define "authorizer.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "authorizer.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else if contains (include "authorizer.name" .) .Release.Name }}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "authorizer.name" .) | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "authorizer.selector" -}}
app.kubernetes.io/name: {{ include "authorizer.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "authorizer.labels" -}}
{{ include "authorizer.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: tgefd-edge
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "authorizer.metadata" -}}
namespace: {{ .Release.Namespace }}
labels:
  {{- include "authorizer.labels" . | nindent 2 }}
{{- end }}

{{- define "authorizer.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "authorizer.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- required "serviceAccount.name is required when serviceAccount.create is false" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "authorizer.secretName" -}}
{{- default (include "authorizer.fullname" .) .Values.secrets.name }}
{{- end }}

{{- define "authorizer.tlsSecretName" -}}
{{- default (printf "%s-tls" (include "authorizer.fullname" .)) .Values.tls.secretName }}
{{- end }}

{{- define "authorizer.scrapeSecretName" -}}
{{- default (printf "%s-scrape" (include "authorizer.fullname" .)) .Values.monitoring.serviceMonitor.clientSecretName }}
{{- end }}

{{- define "authorizer.portName" -}}
{{- if eq .Values.tls.source "none" }}http{{ else }}https{{ end }}
{{- end }}

{{- define "authorizer.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end }}
{{- end }}

{{/* The container's environment, which the check pod of `helm test` shares. */}}
{{- define "authorizer.environment" -}}
- name: HOST
  value: {{ if has "IPv6" .Values.ip.families }}{{ quote "::" }}{{ else }}0.0.0.0{{ end }}
- name: PORT
  value: {{ if eq .Values.tls.source "none" }}"8080"{{ else }}"8443"{{ end }}
{{- if ne .Values.tls.source "none" }}
- name: TGEFD_TLS_CERT_FILE
  value: /var/run/tgefd/tls/tls.crt
- name: TGEFD_TLS_KEY_FILE
  value: /var/run/tgefd/tls/tls.key
{{- if .Values.tls.upstreamCa }}
- name: TGEFD_UPSTREAM_TLS_CA_FILE
  value: /var/run/tgefd/tls/ca.crt
{{- end }}
{{- end }}
{{- range $variable, $key := .Values.secrets.files }}
- name: {{ $variable }}_FILE
  value: /var/run/tgefd/secrets/{{ $key }}
{{- end }}
{{- if .Values.objectStoreToken.enabled }}
- name: AWS_WEB_IDENTITY_TOKEN_FILE
  value: /var/run/tgefd/tokens/object-store
{{- end }}
{{- end }}

{{- define "authorizer.mounts" -}}
{{- if .Values.secrets.files }}
- name: secrets
  mountPath: /var/run/tgefd/secrets
  readOnly: true
{{- end }}
{{- if ne .Values.tls.source "none" }}
- name: tls
  mountPath: /var/run/tgefd/tls
  readOnly: true
{{- end }}
{{- if .Values.objectStoreToken.enabled }}
- name: tokens
  mountPath: /var/run/tgefd/tokens
  readOnly: true
{{- end }}
{{- end }}

{{- define "authorizer.volumes" -}}
{{- if .Values.secrets.files }}
- name: secrets
  secret:
    secretName: {{ include "authorizer.secretName" . }}
    defaultMode: 288 {{- /* 0440 */}}
{{- end }}
{{- if ne .Values.tls.source "none" }}
- name: tls
  secret:
    secretName: {{ include "authorizer.tlsSecretName" . }}
    defaultMode: 288 {{- /* 0440 */}}
{{- end }}
{{- if .Values.objectStoreToken.enabled }}
- name: tokens
  projected:
    defaultMode: 288 {{- /* 0440 */}}
    sources:
      - serviceAccountToken:
          path: object-store
          audience: {{ .Values.objectStoreToken.audience }}
          expirationSeconds: {{ .Values.objectStoreToken.expirationSeconds }}
{{- end }}
{{- end }}

{{- define "authorizer.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "authorizer.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}
