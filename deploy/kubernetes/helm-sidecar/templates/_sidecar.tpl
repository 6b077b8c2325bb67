{{/*
A workload with the sidecar, and the ConfigMaps that it reads: include "mlmon.sidecar" (dict "root" $ "workload" "<name of the template that
makes the workload>"). "values" says what differs from the values of this chart, where a release has more than one.
*/}}
{{- define "mlmon.sidecar" -}}
{{- $v := mergeOverwrite (deepCopy (index .root.Values "ml-monitoring-sidecar")) (deepCopy (.values | default dict)) -}}
{{- $workload := include .workload .root | fromYaml -}}
{{- if hasKey $workload "Error" }}{{ fail (printf "%s: is no YAML of one object: %s" .workload $workload.Error) }}{{ end -}}
{{- if not $v.monitors }}{{ fail "monitors: has none; expected a monitor for each model that the pod serves" }}{{ end -}}
{{- if and $v.proxyTo (eq (int $v.proxyTo) 8090) }}{{ fail "proxyTo: is the port of the proxy itself; expected the port of the model server" }}{{ end -}}
{{- $kind := $workload.kind | default "" -}}
{{- $holders := list -}}
{{- if has $kind (list "Deployment" "StatefulSet" "DaemonSet" "ReplicaSet" "Job") }}{{ $holders = list "spec" "template" -}}
{{- else if eq $kind "CronJob" }}{{ $holders = list "spec" "jobTemplate" "spec" "template" -}}
{{- else if eq $kind "InferenceService" }}{{ $holders = list "spec" "predictor" -}}
{{- else if ne $kind "Pod" }}{{ fail (printf "%s: %s has no pod; expected one of Deployment, StatefulSet, DaemonSet, ReplicaSet, Job, CronJob, Pod, InferenceService" .workload $kind) }}{{ end -}}
{{- $template := $workload -}}
{{- range $holders }}{{ if not (get $template .) }}{{ $_ := set $template . dict }}{{ end }}{{ $template = get $template . }}{{ end -}}
{{- $pod := $template -}}
{{- $metadata := $template -}}
{{- if ne $kind "InferenceService" -}}
{{- range list "metadata" "spec" }}{{ if not (get $template .) }}{{ $_ := set $template . dict }}{{ end }}{{ end -}}
{{- $pod = $template.spec -}}
{{- $metadata = $template.metadata -}}
{{- end -}}

{{- $containers := ternary "initContainers" "containers" $v.native -}}
{{- $others := list -}}
{{- range get $pod $containers | default list }}{{ if ne .name "mlmon-sidecar" }}{{ $others = append $others . }}{{ end }}{{ end -}}
{{- $container := include "mlmon.sidecar.container" $v | fromYaml -}}
{{- /* First, so that init containers after it already have it. */ -}}
{{- $_ := set $pod $containers (ternary (prepend $others $container) (append $others $container) $v.native) -}}
{{- $volumes := include "mlmon.sidecar.volumes" $v | fromYamlArray -}}
{{- $ours := list -}}
{{- range $volumes }}{{ $ours = append $ours .name }}{{ end -}}
{{- $kept := list -}}
{{- range $pod.volumes | default list }}{{ if not (has .name $ours) }}{{ $kept = append $kept . }}{{ end }}{{ end -}}
{{- $_ := set $pod "volumes" (concat $kept $volumes) -}}
{{- /* Its files belong to a group, where the pod has not chosen one. */ -}}
{{- $_ := set $pod "securityContext" (mergeOverwrite (dict "fsGroup" 10001) ($pod.securityContext | default dict)) -}}
{{- if $v.kserveLogger }}{{ $_ := set $pod "logger" (dict "mode" "all" "url" (printf "http://127.0.0.1:%d/v1/kserve" (int $v.port))) }}{{ end -}}
{{- $_ := set $metadata "labels" (mergeOverwrite ($metadata.labels | default dict) (dict "mlmon/sidecar" $v.name)) -}}
{{- $digests := include "mlmon.sidecar.run" $v | sha256sum -}}
{{- range $model := keys $v.monitors | sortAlpha -}}
{{- $files := get $v.monitors $model -}}
{{- range $file := keys $files | sortAlpha }}{{ $digests = printf "%s%s" $digests (get $files $file | sha256sum) }}{{ end -}}
{{- end -}}
{{- $_ := set $metadata "annotations" (mergeOverwrite ($metadata.annotations | default dict) (dict "mlmon/sidecar-run" (sha256sum $digests))) -}}
{{ toYaml $workload }}
{{- $of := dict "namespace" (dig "metadata" "namespace" "" $workload) }}
---
{{ include "mlmon.sidecar.configMap" (merge (dict "name" (printf "%s-run" $v.name) "data" (dict "run.yaml" (include "mlmon.sidecar.run" $v))) $of) }}
{{- range $model, $files := $v.monitors }}
---
{{ include "mlmon.sidecar.configMap" (merge (dict "name" (printf "%s-monitor-%s" $v.name $model) "data" $files) $of) }}
{{- end }}
{{- end -}}

{{- define "mlmon.sidecar.configMap" -}}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .name }}
  labels: { app.kubernetes.io/part-of: ml-monitoring }
  {{- with .namespace }}
  namespace: {{ . | quote }}
  {{- end }}
data: {{- toYaml .data | nindent 2 }}
{{- end -}}

{{/* What `mlmon run` reads; JSON is YAML too. */}}
{{- define "mlmon.sidecar.run" -}}
{{- $collector := dict "url" .collector -}}
{{- with .token }}{{ $_ := set $collector "tokenFile" (printf "/var/run/secrets/mlmon/%s/%s" .secret .key) }}{{ end -}}
{{- $sidecar := dict "collector" $collector "spool" (dict "folder" "/var/lib/mlmon/spool" "diskBytes" (int64 .spoolBytes)) -}}
{{- with .proxyTo }}{{ $_ := set $sidecar "proxy" (dict "host" "0.0.0.0" "port" 8090 "upstream" (printf "127.0.0.1:%d" (int .))) }}{{ end -}}
{{- $run := dict "schema" "mlmon.run/v1" "sidecar" $sidecar -}}
{{- $_ := set $run "http" (dict "host" "127.0.0.1" "port" (int .port)) -}}
{{- $_ := set $run "operations" (dict "host" "0.0.0.0" "port" (int .operationsPort)) -}}
{{- $_ := set $run "monitors" (dict "folder" "/etc/mlmon/monitors") -}}
{{- toPrettyJson $run -}}
{{- end -}}

{{- define "mlmon.sidecar.container" -}}
name: mlmon-sidecar
{{- with .image }}
{{- if and (not .digest) (eq .tag "latest") }}{{ fail "image.tag: latest is no fixed version; expected a version, or a digest as image.digest" }}{{ end }}
image: {{ printf "%s%s" .repository (ternary (printf "@%s" .digest) (printf ":%s" .tag) (not (empty .digest))) | quote }}
imagePullPolicy: {{ .pullPolicy }}
{{- end }}
{{- if .native }}
restartPolicy: Always
{{- end }}
args: [run, --roles, sidecar, --config, /etc/mlmon/run.yaml]
ports:
  - { name: operations, containerPort: {{ int .operationsPort }}, protocol: TCP }
  {{- if .proxyTo }}
  - { name: mlmon-proxy, containerPort: 8090, protocol: TCP }
  {{- end }}
resources:
  requests:
    cpu: {{ .resources.cpu | quote }}
    memory: {{ .resources.memory | quote }}
    ephemeral-storage: {{ .resources.temporary | quote }}
  limits:
    memory: {{ .resources.memory | quote }}
    ephemeral-storage: {{ include "mlmon.sidecar.twice" .resources.temporary | quote }}
    {{- if eq .limits "memory-and-cpu" }}
    cpu: {{ include "mlmon.sidecar.twice" .resources.cpu | quote }}
    {{- end }}
securityContext:
  allowPrivilegeEscalation: false
  capabilities: { drop: [ALL] }
  privileged: false
  readOnlyRootFilesystem: true
  runAsGroup: 10001
  runAsNonRoot: true
  runAsUser: 10001
  seccompProfile: { type: RuntimeDefault }
startupProbe:
  httpGet: { path: /healthz, port: operations, scheme: HTTP }
  periodSeconds: 2
  failureThreshold: 60
  timeoutSeconds: 2
readinessProbe:
  httpGet: { path: /readyz, port: operations, scheme: HTTP }
  periodSeconds: 5
  failureThreshold: 3
  timeoutSeconds: 3
livenessProbe:
  httpGet: { path: /healthz, port: operations, scheme: HTTP }
  periodSeconds: 20
  failureThreshold: 3
  timeoutSeconds: 5
terminationMessagePolicy: FallbackToLogsOnError
volumeMounts:
  - { name: mlmon-tmp, mountPath: /tmp }
  - { name: mlmon-run, mountPath: /etc/mlmon/run.yaml, subPath: run.yaml, readOnly: true }
  - { name: mlmon-monitors, mountPath: /etc/mlmon/monitors, readOnly: true }
  - { name: mlmon-spool, mountPath: /var/lib/mlmon/spool }
  {{- with .token }}
  - { name: mlmon-secret-0, mountPath: /var/run/secrets/mlmon/{{ .secret }}, readOnly: true }
  {{- end }}
{{- end -}}

{{- define "mlmon.sidecar.volumes" -}}
- name: mlmon-tmp
  emptyDir: { sizeLimit: {{ .resources.temporary | quote }} }
- name: mlmon-run
  configMap: { name: {{ .name }}-run }
- name: mlmon-monitors
  projected:
    sources:
      {{- range $model := keys .monitors | sortAlpha }}
      - configMap:
          name: {{ $.name }}-monitor-{{ $model }}
          items:
            {{- range $file := keys (get $.monitors $model) | sortAlpha }}
            - { key: {{ $file | quote }}, path: {{ $file | quote }} }
            {{- end }}
      {{- end }}
- name: mlmon-spool
  {{- /* Beyond the events a little room for the segment that is being written. */}}
  emptyDir: { sizeLimit: {{ add 64 (div (add (int64 .spoolBytes) 1048575) 1048576) }}Mi }
{{- with .token }}
- name: mlmon-secret-0
  secret:
    secretName: {{ .secret | quote }}
    defaultMode: 288
    items:
      - { key: {{ .key | quote }}, path: {{ .key | quote }} }
{{- end }}
{{- end -}}

{{/* Twice a quantity, in its own unit. */}}
{{- define "mlmon.sidecar.twice" -}}
{{ mulf 2 (regexFind "^[0-9.]+" . | float64) }}{{ regexFind "[A-Za-z]*$" . }}
{{- end -}}
