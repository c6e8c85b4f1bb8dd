{{/* How the pods of the application get a sidecar of Dapr, and what it may do and use. */}}

{{/* For pods that must end by themselves: a sidecar would keep them running. */}}
{{- define "todo-app.dapr.without" -}}
dapr.io/enabled: "false"
{{- end }}

{{/* The name that Dapr knows a component by: (list . "component"). */}}
{{- define "todo-app.dapr.appId" -}}
todo-{{ index . 1 }}
{{- end }}

{{/* The Configuration of a component's sidecar: who may call it. */}}
{{- define "todo-app.dapr.configuration" -}}
{{- if has .Chart.Name (list "backend" "mcp-server") -}}
dapr-config-{{ .Chart.Name }}
{{- else -}}
dapr-config
{{- end -}}
{{- end }}

{{/*
Annotations for the injector; they count on the pod's template only. The sidecar's own port for calls is 50002; what it
offers on 3500 and 50001 is for its application alone, on loopback. It reads no Secret by itself: the operator hands it
what its components need. While the pod ends it goes on for a while, because the application still answers.
*/}}
{{- define "todo-app.dapr.annotations" -}}
{{- $sidecar := .Values.global.dapr.sidecar -}}
dapr.io/enabled: "true"
dapr.io/app-id: {{ include "todo-app.dapr.appId" (list . .Chart.Name) }}
dapr.io/app-port: {{ include "todo-app.port" . | quote }}
dapr.io/app-protocol: http
dapr.io/config: {{ include "todo-app.dapr.configuration" . }}
dapr.io/sidecar-cpu-request: {{ $sidecar.resources.requests.cpu | quote }}
dapr.io/sidecar-cpu-limit: {{ $sidecar.resources.limits.cpu | quote }}
dapr.io/sidecar-memory-request: {{ $sidecar.resources.requests.memory | quote }}
dapr.io/sidecar-memory-limit: {{ $sidecar.resources.limits.memory | quote }}
dapr.io/env: GOMEMLIMIT={{ $sidecar.goMemoryLimit }}
dapr.io/sidecar-seccomp-profile-type: RuntimeDefault
dapr.io/sidecar-listen-addresses: 127.0.0.1
dapr.io/disable-builtin-k8s-secret-store: "true"
dapr.io/sidecar-readiness-probe-timeout-seconds: "3"
dapr.io/sidecar-liveness-probe-delay-seconds: "30"
dapr.io/sidecar-liveness-probe-timeout-seconds: "5"
dapr.io/graceful-shutdown-seconds: {{ $sidecar.gracefulShutdownSeconds | quote }}
dapr.io/block-shutdown-duration: {{ printf "%vs" $sidecar.blockShutdownSeconds }}
dapr.io/log-as-json: "true"
dapr.io/log-level: {{ $sidecar.logLevel }}
dapr.io/enable-api-logging: "false"
{{- end }}

{{/* The pod template's annotations: the sidecar's, and those of the values, which have the last word. */}}
{{- define "todo-app.podAnnotations" -}}
{{- $all := dict -}}
{{- if .Values.global.dapr.enabled }}{{ $all = fromYaml (include "todo-app.dapr.annotations" .) }}{{ end -}}
{{- with .Values.podAnnotations }}{{ $all = mergeOverwrite $all . }}{{ end -}}
{{- with $all }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Where a component finds another one: through its own sidecar, or directly: (list . "component"). */}}
{{- define "todo-app.peer" -}}
{{- $context := index . 0 -}}
{{- $component := index . 1 -}}
{{- if $context.Values.global.dapr.enabled -}}
{{ printf "http://127.0.0.1:3500/v1.0/invoke/%s/method" (include "todo-app.dapr.appId" .) }}
{{- else -}}
{{ printf "http://%s-svc:%v" $component (index $context.Values.global.ports $component) }}
{{- end -}}
{{- end }}

{{/* One application that may call, and what: (list . "component" paths). */}}
{{- define "todo-app.dapr.caller" -}}
{{- $context := index . 0 -}}
- appId: {{ include "todo-app.dapr.appId" (list $context (index . 1)) }}
  namespace: {{ $context.Release.Namespace }}
  trustDomain: {{ $context.Values.global.dapr.trustDomain }}
  defaultAction: deny
  operations:
    {{- range index . 2 }}
    - name: {{ . }}
      httpVerb: ["*"]
      action: allow
    {{- end }}
{{- end }}
