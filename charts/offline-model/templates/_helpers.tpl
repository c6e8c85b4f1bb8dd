{{- define "offline-model.selectorLabels" -}}
app.kubernetes.io/name: offline-model
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "offline-model.labels" -}}
{{ include "offline-model.selectorLabels" . }}
app.kubernetes.io/part-of: todo-app
app.kubernetes.io/component: model-stand-in
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}
