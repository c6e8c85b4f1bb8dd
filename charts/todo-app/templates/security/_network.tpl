{{/*
Parts of NetworkPolicies. Ports are those that pods listen on: a policy is judged after the Service's address was
replaced by the pod's. Other namespaces are named by the label that the API server itself sets.
*/}}

{{/* The head of a policy for the component's pods, up to its rules: (list . "name" "Ingress" or "Egress"). */}}
{{- define "todo-app.network.policy" -}}
{{- $context := index . 0 -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ index . 1 }}
  namespace: {{ $context.Release.Namespace }}
  labels:
    {{- include "todo-app.labels" $context | nindent 4 }}
spec:
  podSelector:
    matchLabels:
      {{- include "todo-app.selectorLabels" $context | nindent 6 }}
  policyTypes: [{{ index . 2 }}]
{{- end }}

{{/* The pods of one component of this release: (list . "component"). */}}
{{- define "todo-app.network.component" -}}
- podSelector:
    matchLabels:
      app.kubernetes.io/name: {{ index . 1 }}
      app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
{{- end }}

{{/* Pods of another namespace: a map with namespace and podLabels. */}}
{{- define "todo-app.network.elsewhere" -}}
- namespaceSelector:
    matchLabels:
      kubernetes.io/metadata.name: {{ .namespace }}
  podSelector:
    {{- with .podLabels }}
    matchLabels:
      {{- toYaml . | nindent 6 }}
    {{- else }} {}
    {{- end }}
{{- end }}

{{/*
One egress rule to a service that may be in the cluster (namespace), at known addresses (cidr), or anywhere outside; the
last leaves out the ranges of pods, Services, nodes and of the cloud's metadata: (list . "name of the value").
*/}}
{{- define "todo-app.network.endpoint" -}}
{{- $network := (index . 0).Values.global.networkPolicy -}}
{{- $endpoint := index $network (index . 1) -}}
- to:
    {{- if $endpoint.namespace }}
    {{- include "todo-app.network.elsewhere" $endpoint | nindent 4 }}
    {{- else if $endpoint.cidr }}
    - ipBlock:
        cidr: {{ $endpoint.cidr }}
    {{- else }}
    - ipBlock:
        {{- toYaml $network.outside | nindent 8 }}
    {{- if $network.outside6.cidr }}
    - ipBlock:
        {{- toYaml $network.outside6 | nindent 8 }}
    {{- end }}
    {{- end }}
  ports:
    - { protocol: TCP, port: {{ $endpoint.port }} }
{{- end }}

{{/* One egress rule to the cluster's name service, by UDP and, for long answers, by TCP. */}}
{{- define "todo-app.network.dns" -}}
- to:
    {{- include "todo-app.network.elsewhere" .Values.global.networkPolicy.dns | nindent 4 }}
    {{- range .Values.global.networkPolicy.dns.cidrs }}
    - ipBlock:
        cidr: {{ . }}
    {{- end }}
  ports:
    - { protocol: UDP, port: 53 }
    - { protocol: TCP, port: 53 }
{{- end }}

{{/* The port by which components call each other: their sidecars', or without sidecars their own: (list . "component"). */}}
{{- define "todo-app.network.callPort" -}}
{{- $values := (index . 0).Values -}}
{{- if $values.global.dapr.enabled }}50002{{ else }}{{ index $values.global.ports (index . 1) }}{{ end -}}
{{- end }}
