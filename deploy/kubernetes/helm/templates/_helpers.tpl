{{- define "mlmon.labels" -}}
app.kubernetes.io/name: mlmon
app.kubernetes.io/instance: {{ .Values.name | quote }}
{{- end -}}

{{- define "mlmon.image" -}}
{{- with .Values.image -}}
{{- if and (not .digest) (eq .tag "latest") }}{{ fail "image.tag: latest is no fixed version; expected a version, or a digest as image.digest" }}{{ end -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag }}{{ end -}}
{{- end -}}
{{- end -}}

{{/* Where a container finds a key of a Secret. */}}
{{- define "mlmon.file" -}}/var/run/secrets/mlmon/{{ .secret }}/{{ .key }}{{- end -}}

{{/* Where the log is, as JSON: what the values say, or the Kafka that Strimzi makes here. */}}
{{- define "mlmon.kafka" -}}
{{- $kafka := .Values.log.kafka -}}
{{- $strimzi := .Values.log.strimzi -}}
{{- if $strimzi.enabled -}}
{{- range $what, $own := .Files.Get "files/kafka.json" | fromJson -}}
{{- if ne (index $kafka $what | toJson) ($own | toJson) }}{{ fail (printf "log.kafka.%s: is said by Strimzi, where log.strimzi is enabled; expected nothing of log.kafka but partitions" $what) }}{{ end -}}
{{- end -}}
{{- $namespace := .Release.Namespace -}}
{{- $user := printf "%s-user" $strimzi.name -}}
{{- $kafka = dict
  "brokers" (list (printf "%s-kafka-bootstrap.%s.svc:9093" $strimzi.name $namespace))
  "topic" $kafka.topic
  "group" $kafka.group
  "partitions" $kafka.partitions
  "tls" (dict
    "ca" (dict "secret" (printf "%s-cluster-ca-cert" $strimzi.name) "key" "ca.crt")
    "certificate" (dict "secret" $user "key" "user.crt")
    "key" (dict "secret" $user "key" "user.key"))
  "sasl" nil
  "peers" (list (dict
    "namespaceSelector" (dict "matchLabels" (dict "kubernetes.io/metadata.name" $namespace))
    "podSelector" (dict "matchLabels" (dict "strimzi.io/cluster" $strimzi.name "strimzi.io/kind" "Kafka")))) -}}
{{- end -}}
{{- toJson $kafka -}}
{{- end -}}

{{/* What `mlmon run` reads; JSON is YAML too. */}}
{{- define "mlmon.run" -}}
{{- $kafka := include "mlmon.kafka" . | fromJson -}}
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
{{- $names := list "inbox" -}}
{{- range .Values.channels }}{{ $channels = append $channels .config }}{{ $names = append $names (.config.name | default .config.type) }}{{ end -}}
{{- $told := dict "channels" $channels -}}
{{- with .Values.routes }}{{ $_ := set $told "routes" . }}{{ end -}}
{{- with .Values.mutes }}{{ $_ := set $told "mutes" . }}{{ end -}}
{{- range $i, $route := .Values.routes -}}
{{- range $route.channels }}{{ if not (has . $names) }}{{ fail (printf "routes[%d].channels: no channel has this name; got %s, expected one of %s" $i . (join ", " $names)) }}{{ end }}{{ end -}}
{{- end -}}
{{- toPrettyJson $told -}}
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
{{- $kafka := include "mlmon.kafka" . | fromJson -}}
{{- range $kafka.brokers }}{{ $ports = append $ports (regexFind "[0-9]+$" . | int) }}{{ end -}}
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
{{ mulf 2 (regexFind "^[0-9.]+" . | float64) }}{{ regexFind "[A-Za-z]*$" . }}
{{- end -}}

{{/* A name in a text that is YAML: in quotes where it would be a number or a truth otherwise. */}}
{{- define "mlmon.word" -}}
{{- if regexMatch "^([0-9.]+(e[0-9]+)?|0x[0-9a-f]+|true|false|null)$" . }}{{ . | quote }}{{ else }}{{ . }}{{ end -}}
{{- end -}}

{{/* The keys of Secrets that a part reads, as JSON. */}}
{{- define "mlmon.secrets" -}}
{{- $v := .root.Values -}}
{{- $keys := list $v.store.s3.ca $v.store.s3.accessKeyId $v.store.s3.secretAccessKey -}}
{{- if .facts.log -}}
{{- $kafka := include "mlmon.kafka" .root | fromJson -}}
{{- with $kafka.tls }}{{ $keys = concat $keys (list .ca .certificate .key) }}{{ end -}}
{{- with $kafka.sasl }}{{ $keys = concat $keys (list .username .password) }}{{ end -}}
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
{{- $watching := .Values.watching -}}
{{- $rules := "" -}}
{{- range (.Files.Get "files/alerts.json" | fromJson).groups -}}
{{- $texts := "" -}}
{{- range .rules -}}
{{- $change := get $watching.changes .key | default dict -}}
{{- if not $change.off -}}
{{- $for := $change.for | default .for -}}
{{- $text := .text | replace "{for}" (ternary "" (printf "        for: %s\n" $for) (eq $for "0m")) | replace "{severity}" ($change.severity | default .severity) | replace "{notify}" (get .notify $watching.notifier) -}}
{{- $text = $text | replace "{threshold}" (hasKey $change "threshold" | ternary $change.threshold .threshold | toJson) -}}
{{- $texts = print $texts $text -}}
{{- end -}}
{{- end -}}
{{- if $texts }}{{ $rules = printf "%s  - name: %s\n    interval: %s\n    rules:\n%s" $rules .name .interval $texts }}{{ end -}}
{{- end -}}
{{- $rules = ternary (printf "groups:\n%s" $rules) "groups: []\n" (not (empty $rules)) -}}
{{- $rules = $rules | replace "namespace: ml-monitoring\n" (printf "namespace: %s\n" (include "mlmon.word" .Release.Namespace)) -}}
{{- with .Values.links.runbook }}{{ $rules = $rules | replace "runbook_url: docs/runbook.md#" (printf "runbook_url: %s#" .) }}{{ end -}}
{{- with .Values.links.dashboards }}{{ $rules = $rules | replace "dashboard_url: /d/" (printf "dashboard_url: %s/d/" (trimSuffix "/" .)) }}{{ end -}}
{{- $rules -}}
{{- end -}}

{{/* Who is told by Alertmanager, as JSON: the form of the operator or that of a file (files/alerting.json), with the receivers of the values. */}}
{{- define "mlmon.alerting" -}}
{{- $watching := .root.Values.watching -}}
{{- $form := .form -}}
{{- $all := .root.Files.Get "files/alerting.json" | fromJson -}}
{{- $known := get $all $form -}}
{{- $names := list -}}
{{- range $i, $one := $watching.receivers -}}
{{- if has $one.name $names }}{{ fail (printf "watching.receivers[%d].name: two receivers have one name; got %s, expected names of their own" $i $one.name) }}{{ end -}}
{{- $names = append $names $one.name -}}
{{- end -}}
{{- $made := list (dict "name" $all.nobody) -}}
{{- with $watching.heartbeat -}}
{{- $config := include "mlmon.receiver" (dict "form" $form "kind" $known.heartbeat "receiver" . "path" "watching.heartbeat") | fromJson -}}
{{- $made = append $made (dict "name" $all.heartbeat $known.heartbeat.list (list $config)) -}}
{{- end -}}
{{- $sets := list (dict "name" $all.everybody "members" $names) -}}
{{- $routes := list -}}
{{- range $i, $route := $watching.routes -}}
{{- range $route.receivers }}{{ if not (has . $names) }}{{ fail (printf "watching.routes[%d].receivers: there is no such receiver; got %s, expected %s" $i . (join ", " $names)) }}{{ end }}{{ end -}}
{{- $receiver := ternary (printf "mlmon-%s" (join "-and-" ($route.receivers | sortAlpha))) $all.nobody (not (empty $route.receivers)) -}}
{{- $taken := list $all.nobody -}}
{{- range $sets }}{{ $taken = append $taken .name }}{{ end -}}
{{- if not (has $receiver $taken) }}{{ $sets = append $sets (dict "name" $receiver "members" $route.receivers) }}{{ end -}}
{{- $matchers := list -}}
{{- range $label, $value := $route.match -}}
{{- if eq $form "operator" }}{{ $matchers = append $matchers (dict "name" $label "matchType" "=" "value" $value) }}{{ else }}{{ $matchers = append $matchers (printf "%s=%s" $label (toRawJson $value)) }}{{ end -}}
{{- end -}}
{{- $routes = append $routes (dict "receiver" $receiver "matchers" $matchers) -}}
{{- end -}}
{{- range $set := $sets -}}
{{- $receiver := dict "name" $set.name -}}
{{- range $i, $one := $watching.receivers -}}
{{- if has $one.name $set.members -}}
{{- $kind := get $known.kinds $one.type -}}
{{- $config := include "mlmon.receiver" (dict "form" $form "kind" $kind "receiver" $one "path" (printf "watching.receivers[%d]" $i)) | fromJson -}}
{{- $_ := set $receiver $kind.list (append (get $receiver $kind.list | default list) $config) -}}
{{- end -}}
{{- end -}}
{{- $made = append $made $receiver -}}
{{- end -}}
{{- $route := $known.route -}}
{{- $children := $route.routes -}}
{{- if $watching.heartbeat }}{{ $_ := set (index $children 0) "receiver" $all.heartbeat }}{{ end -}}
{{- $_ := set (index $children 1) "routes" $routes -}}
{{- toJson (dict "route" $route $known.inhibitions $known.inhibitRules "receivers" $made) -}}
{{- end -}}

{{/* One receiver, as JSON: what is fixed about its kind, and its own fields under their names in the form. */}}
{{- define "mlmon.receiver" -}}
{{- $config := deepCopy .kind.fixed -}}
{{- $form := .form -}}
{{- $receiver := .receiver -}}
{{- $path := .path -}}
{{- range $field, $target := .kind.fields -}}
{{- $value := index $receiver $field -}}
{{- if $value -}}
{{- if and (kindIs "map" $value) (ne $form "operator") }}{{ fail (printf "%s.%s: is a key of a Secret; expected the path of a file beside Alertmanager, where watching.mode is files" $path $field) }}{{ end -}}
{{- if kindIs "map" $value }}{{ $value = dict "name" $value.secret "key" $value.key }}
{{- else if and (eq $form "operator") (has $field $.kind.secrets) }}{{ fail (printf "%s.%s: is the path of a file; expected { secret, key }, where watching.mode is operator" $path $field) }}{{ end -}}
{{- $_ := set $config $target $value -}}
{{- end -}}
{{- end -}}
{{- toJson $config -}}
{{- end -}}
