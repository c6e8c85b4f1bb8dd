{{/* What every pod and every container of this chart may do: as little as the restricted standard, and a read-only root. */}}

{{- define "todo-app.security.pod" -}}
runAsNonRoot: true
runAsUser: {{ .Values.global.userId }}
runAsGroup: {{ .Values.global.groupId }}
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "todo-app.security.container" -}}
runAsNonRoot: true
runAsUser: {{ .Values.global.userId }}
runAsGroup: {{ .Values.global.groupId }}
readOnlyRootFilesystem: true
allowPrivilegeEscalation: false
capabilities:
  drop: [ALL]
seccompProfile:
  type: RuntimeDefault
{{- end }}
