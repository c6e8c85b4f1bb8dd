{{/*
Named templates of the parent chart; the sub-charts use them with their own context, so .Chart.Name is the component.
*/}}

{{/* Labels that select a component's pods; they never change, because a Deployment's selector cannot. */}}
{{- define "todo-app.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* Labels of every object. */}}
{{- define "todo-app.labels" -}}
{{ include "todo-app.selectorLabels" . }}
app.kubernetes.io/part-of: todo-app
app.kubernetes.io/component: {{ .Chart.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name (.Chart.Version | replace "+" "_") }}
{{- end }}

{{/* Labels of pods: only what stays equal between versions, so that a new chart version alone rolls nothing. */}}
{{- define "todo-app.podLabels" -}}
{{ include "todo-app.selectorLabels" . }}
app.kubernetes.io/part-of: todo-app
app.kubernetes.io/component: {{ .Chart.Name }}
{{- end }}

{{/* Reference of a component's image: by digest where one is set, else by tag. */}}
{{- define "todo-app.image" -}}
{{- $name := .Values.image.repository -}}
{{- with .Values.global.imageRegistry }}{{ $name = printf "%s/%s" . $name }}{{ end -}}
{{- if .Values.image.digest -}}
{{ printf "%s@%s" $name .Values.image.digest }}
{{- else -}}
{{ printf "%s:%s" $name (.Values.image.tag | default .Values.global.imageTag | default .Chart.AppVersion) }}
{{- end -}}
{{- end }}

{{/* Name of a component's Service. */}}
{{- define "todo-app.service" -}}
{{ .Chart.Name }}-svc
{{- end }}

{{/* Port of a component's container and Service. */}}
{{- define "todo-app.port" -}}
{{ index .Values.global.ports .Chart.Name }}
{{- end }}

{{/* The address that people type. */}}
{{- define "todo-app.url" -}}
{{ printf "%s://%s" .Values.global.scheme .Values.global.host }}
{{- end }}

{{/* One environment variable from the Secret: (list . "VARIABLE" "key"). */}}
{{- define "todo-app.secretVariable" -}}
{{- $context := index . 0 -}}
- name: {{ index . 1 }}
  valueFrom:
    secretKeyRef:
      name: {{ $context.Values.global.secretName }}
      key: {{ index . 2 }}
{{- end }}

{{/* The rollout: never fewer ready pods than asked for. */}}
{{- define "todo-app.strategy" -}}
type: RollingUpdate
rollingUpdate:
  maxSurge: 1
  maxUnavailable: 0
{{- end }}

{{/* Fields that all pods share. */}}
{{- define "todo-app.pod" -}}
serviceAccountName: {{ include "todo-app.account" . }}
automountServiceAccountToken: false
enableServiceLinks: false
terminationGracePeriodSeconds: {{ .Values.global.terminationGracePeriodSeconds }}
{{- with .Values.global.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- include "todo-app.security.pod" . | nindent 2 }}
{{- $selected := include "todo-app.selectorLabels" . }}
{{- if and (gt (int .Values.replicaCount) 1) .Values.global.spread }}
topologySpreadConstraints:
  {{- range $label, $otherwise := .Values.global.spread }}
  # Each rollout is spread by itself, and over the nodes that take pods now.
  - maxSkew: 1
    topologyKey: {{ $label }}
    whenUnsatisfiable: {{ $otherwise }}
    nodeTaintsPolicy: Honor
    matchLabelKeys: [pod-template-hash]
    labelSelector:
      matchLabels:
        {{- $selected | nindent 8 }}
  {{- end }}
{{- end }}
{{- end }}

{{/*
Probes by the port's name. Startup looks every second, so that a pod is Ready soon; until it passes, the other two
wait. Readiness bears a node that is busy for some seconds: a pod that only answers late is better than none. Liveness is
the patient one: a restart heals a stuck process and nothing else.
*/}}
{{- define "todo-app.probes" -}}
startupProbe:
  httpGet: { path: {{ .Values.probes.readiness }}, port: http }
  periodSeconds: 1
  timeoutSeconds: 2
  failureThreshold: 90
readinessProbe:
  httpGet: { path: {{ .Values.probes.readiness }}, port: http }
  periodSeconds: 5
  timeoutSeconds: 4
  failureThreshold: 3
livenessProbe:
  httpGet: { path: {{ .Values.probes.liveness }}, port: http }
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 4
{{- end }}

{{/* Seconds before a process is told to stop. */}}
{{- define "todo-app.drain" -}}
{{- $seconds := int .Values.global.drainSeconds }}
{{- if .Values.global.dapr.enabled }}
{{- $seconds = max $seconds (add 2 .Values.global.dapr.sidecar.blockShutdownSeconds) }}
{{- end }}
{{- $seconds }}
{{- end }}

{{/* What a process then has for the requests under way: the rest of the pod's time, but for 5 seconds to end in order. */}}
{{- define "todo-app.shutdownVariable" -}}
- name: SHUTDOWN_TIMEOUT
  value: {{ max 1 (sub (sub .Values.global.terminationGracePeriodSeconds (int (include "todo-app.drain" .))) 5) | quote }}
{{- end }}

{{/*
New connections stop arriving before the process is told to stop. Callers hold on to a sidecar's connection as long as it
is open: so the process outlives the time for which its sidecar goes on.
*/}}
{{- define "todo-app.lifecycle" -}}
{{- with int (include "todo-app.drain" .) }}
lifecycle:
  preStop:
    sleep:
      seconds: {{ . }}
{{- end }}
{{- end }}

{{/* Mounts and volumes for a read-only root: a small /tmp, and the database's authority. */}}
{{- define "todo-app.mounts" -}}
- name: tmp
  mountPath: /tmp
- name: database-ca
  mountPath: /etc/todo/database-ca
  readOnly: true
{{- end }}

{{- define "todo-app.volumes" -}}
- name: tmp
  emptyDir:
    sizeLimit: 64Mi
- name: database-ca
  configMap:
    name: {{ .Values.global.databaseCaConfigMap }}
    optional: true
{{- end }}

{{/* A component's Service. */}}
{{- define "todo-app.serviceManifest" -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "todo-app.service" . }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "todo-app.labels" . | nindent 4 }}
spec:
  type: ClusterIP
  selector:
    {{- include "todo-app.selectorLabels" . | nindent 4 }}
  ports:
    - name: http
      port: {{ include "todo-app.port" . }}
      targetPort: http
      protocol: TCP
      appProtocol: http
{{- end }}

{{/*
A node may be drained while a replica stays; with one replica there is none to keep, and a budget would only block the
drain. Pods that are not ready may always go.
*/}}
{{- define "todo-app.disruptionBudgetManifest" -}}
{{- if gt (int .Values.replicaCount) 1 -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ .Chart.Name }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "todo-app.labels" . | nindent 4 }}
spec:
  maxUnavailable: 1
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "todo-app.selectorLabels" . | nindent 6 }}
{{- end }}
{{- end }}
