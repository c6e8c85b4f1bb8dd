{{/* For pods that must end by themselves: a sidecar would keep them running. */}}
{{- define "todo-app.dapr.without" -}}
dapr.io/enabled: "false"
{{- end }}
