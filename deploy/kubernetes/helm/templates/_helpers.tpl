{{- define "mlmon.labels" -}}
app.kubernetes.io/name: mlmon
app.kubernetes.io/instance: {{ .Values.name }}
{{- end -}}

{{- define "mlmon.image" -}}
{{- with .Values.image -}}
{{- if and (not .digest) (eq .tag "latest") }}{{ fail "image.tag: latest is no fixed version; expected a version, or a digest as image.digest" }}{{ end -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag }}{{ end -}}
{{- end -}}
{{- end -}}

{{/* Where a container finds a key of a Secret. */}}
{{- define "mlmon.file" -}}/var/run/secrets/mlmon/{{ .secret }}/{{ .key }}{{- end -}}

{{/* What `mlmon run` reads; JSON is YAML too. */}}
{{- define "mlmon.run" -}}
{{- $kafka := .Values.log.kafka -}}
{{- $log := dict "brokers" $kafka.brokers "topic" $kafka.topic "group" $kafka.group -}}
{{- if not (kindIs "invalid" $kafka.tls) -}}
{{- $tls := dict -}}
{{- with $kafka.tls.ca }}{{ $_ := set $tls "caFile" (include "mlmon.file" .) }}{{ end -}}
{{- with $kafka.tls.certificate }}{{ $_ := set $tls "certificateFile" (include "mlmon.file" .) }}{{ end -}}
{{- with $kafka.tls.key }}{{ $_ := set $tls "keyFile" (include "mlmon.file" .) }}{{ end -}}
{{- $_ := set $log "tls" $tls -}}
{{- end -}}
{{- with $kafka.sasl -}}
{{- $_ := set $log "sasl" (dict "mechanism" .mechanism "usernameFile" (include "mlmon.file" .username) "passwordFile" (include "mlmon.file" .password)) -}}
{{- end -}}
{{- $s3 := .Values.store.s3 -}}
{{- $store := dict "bucket" $s3.bucket "region" $s3.region -}}
{{- with $s3.prefix }}{{ $_ := set $store "prefix" . }}{{ end -}}
{{- with $s3.endpoint }}{{ $_ := set $store "endpoint" . }}{{ end -}}
{{- with $s3.ca }}{{ $_ := set $store "caFile" (include "mlmon.file" .) }}{{ end -}}
{{- with $s3.accessKeyId }}{{ $_ := set $store "accessKeyIdFile" (include "mlmon.file" .) }}{{ end -}}
{{- with $s3.secretAccessKey }}{{ $_ := set $store "secretAccessKeyFile" (include "mlmon.file" .) }}{{ end -}}
{{- $names := list -}}
{{- $namespace := .Release.Namespace -}}
{{- $name := .Values.name -}}
{{- range $part := list "collector" "page" -}}
{{- range $ending := list "" (printf ".%s" $namespace) (printf ".%s.svc" $namespace) (printf ".%s.svc.cluster.local" $namespace) -}}
{{- $names = append $names (printf "%s-%s%s" $name $part $ending) -}}
{{- end -}}
{{- end -}}
{{- $run := dict "schema" "mlmon.run/v1" "log" (dict "kafka" $log) "store" (dict "s3" $store) -}}
{{- $_ := set $run "http" (dict "host" "0.0.0.0" "port" 8080 "names" (concat $names .Values.hostNames) "tokenFile" (include "mlmon.file" .Values.tokens)) -}}
{{- $_ := set $run "operations" (dict "host" "0.0.0.0" "port" 9464) -}}
{{- if .Values.monitors }}{{ $_ := set $run "monitors" (dict "folder" "/etc/mlmon/monitors" "owner" .Values.owner) }}{{ end -}}
{{- if .Values.channels }}{{ $_ := set $run "channelsFile" "/etc/mlmon/channels/channels.yaml" }}{{ end -}}
{{- with .Values.policyKey }}{{ $_ := set $run "policyKeyFile" (include "mlmon.file" .) }}{{ end -}}
{{- with .Values.retention }}{{ $_ := set $run "retention" . }}{{ end -}}
{{- with .Values.links }}{{ $_ := set $run "links" . }}{{ end -}}
{{- toPrettyJson $run -}}
{{- end -}}

{{- define "mlmon.channels" -}}
{{- $channels := list -}}
{{- range .Values.channels }}{{ $channels = append $channels .config }}{{ end -}}
{{- toPrettyJson (dict "channels" $channels) -}}
{{- end -}}

{{- define "mlmon.monitorsDigest" -}}
{{- $digests := "" -}}
{{- range $model := keys .Values.monitors | sortAlpha -}}
{{- $files := get $.Values.monitors $model -}}
{{- range $file := keys $files | sortAlpha }}{{ $digests = printf "%s%s" $digests (get $files $file | sha256sum) }}{{ end -}}
{{- end -}}
{{- sha256sum $digests -}}
{{- end -}}

{{/* Ports of `host:port`, each once. */}}
{{- define "mlmon.brokerPorts" -}}
{{- $ports := list -}}
{{- range .Values.log.kafka.brokers }}{{ $ports = append $ports (regexFind "[0-9]+$" . | int) }}{{ end -}}
{{- range uniq $ports }}
- port: {{ . }}
  protocol: TCP
{{- end -}}
{{- end -}}

{{- define "mlmon.storePort" -}}
{{- $endpoint := .Values.store.s3.endpoint | default "https://aws" -}}
{{- $port := regexFind ":[0-9]+(/|$)" $endpoint | regexFind "[0-9]+" -}}
{{- if $port }}{{ $port }}{{ else if hasPrefix "http:" $endpoint }}80{{ else }}443{{ end -}}
{{- end -}}

{{/* Twice a quantity, in its own unit. */}}
{{- define "mlmon.twice" -}}
{{ mul 2 (regexFind "^[0-9]+" . | int) }}{{ regexFind "[A-Za-z]*$" . }}
{{- end -}}

{{/* The keys of Secrets that a part reads, as JSON. */}}
{{- define "mlmon.secrets" -}}
{{- $v := .root.Values -}}
{{- $keys := list $v.store.s3.ca $v.store.s3.accessKeyId $v.store.s3.secretAccessKey -}}
{{- if .facts.log -}}
{{- with $v.log.kafka.tls }}{{ $keys = concat $keys (list .ca .certificate .key) }}{{ end -}}
{{- with $v.log.kafka.sasl }}{{ $keys = concat $keys (list .username .password) }}{{ end -}}
{{- end -}}
{{- if .facts.serves }}{{ $keys = append $keys $v.tokens }}{{ end -}}
{{- if .facts.policyKey }}{{ $keys = append $keys $v.policyKey }}{{ end -}}
{{- if .facts.channels }}{{ range $v.channels }}{{ $keys = concat $keys .secrets }}{{ end }}{{ end -}}
{{- $bySecret := dict -}}
{{- range compact $keys }}{{ $_ := set $bySecret .secret (append (get $bySecret .secret | default list) .key | uniq | sortAlpha) }}{{ end -}}
{{- toJson $bySecret -}}
{{- end -}}

{{/* The rules of the catalogue, with the namespace and the links of this release. */}}
{{- define "mlmon.alerts" -}}
{{- $rules := .Files.Get "files/alerts.yaml" | replace "namespace: ml-monitoring\n" (printf "namespace: %s\n" .Release.Namespace) -}}
{{- with .Values.links.runbook }}{{ $rules = $rules | replace "runbook_url: docs/runbook.md#" (printf "runbook_url: %s#" .) }}{{ end -}}
{{- with .Values.links.dashboards }}{{ $rules = $rules | replace "dashboard_url: /d/" (printf "dashboard_url: %s/d/" (trimSuffix "/" .)) }}{{ end -}}
{{- $rules -}}
{{- end -}}
