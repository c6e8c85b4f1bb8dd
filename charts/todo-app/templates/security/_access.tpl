{{/*
Who a component's pods are to the API server: an account of their own, whose token no pod carries, and a role with the
least that its configuration consists of - the one ConfigMap and the one Secret, by name, and nothing that lists.
*/}}

{{- define "todo-app.account" -}}
{{ .Chart.Name }}-sa
{{- end }}

{{- define "todo-app.serviceAccountManifest" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "todo-app.account" . }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "todo-app.labels" . | nindent 4 }}
automountServiceAccountToken: false
{{- end }}

{{- define "todo-app.roleManifest" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: {{ .Chart.Name }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "todo-app.labels" . | nindent 4 }}
rules:
  - apiGroups: [""]
    resources: [configmaps]
    resourceNames: [{{ .Values.global.databaseCaConfigMap }}]
    verbs: [get]
  - apiGroups: [""]
    resources: [secrets]
    resourceNames: [{{ .Values.global.secretName }}]
    verbs: [get]
{{- end }}

{{- define "todo-app.roleBindingManifest" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ .Chart.Name }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "todo-app.labels" . | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {{ .Chart.Name }}
subjects:
  - kind: ServiceAccount
    name: {{ include "todo-app.account" . }}
    namespace: {{ .Release.Namespace }}
{{- end }}
