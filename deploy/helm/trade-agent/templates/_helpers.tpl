{{- define "trade-agent.name" -}}{{ printf "%s-%s" .root.Release.Name .part | trunc 63 | trimSuffix "-" }}{{- end }}

{{- define "trade-agent.selector" -}}
app.kubernetes.io/name: trade-agent
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end }}

{{- define "trade-agent.labels" -}}
{{ include "trade-agent.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{- define "trade-agent.image" -}}{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{- end }}

{{- define "trade-agent.podSecurity" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
fsGroup: 1000
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "trade-agent.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}

{{- /* A probe of a path. Behind a proxy, and for workers, only the pod itself may connect. */}}
{{- define "trade-agent.probe" -}}
{{- if .tls }}
httpGet:
  path: {{ .path }}
  port: http
  scheme: HTTPS
  httpHeaders: [{ name: Host, value: {{ (urlParse .address).host | quote }} }]
{{- else }}
exec:
  command: [node, /usr/local/lib/node_modules/trade-agent/deploy/ready.mjs, "http://{{ .at }}{{ .path }}"]
{{- end }}
timeoutSeconds: 5
{{- end }}

{{- define "trade-agent.probes" -}}
startupProbe:
  {{- include "trade-agent.probe" (merge (dict "path" "/healthz") .) | nindent 2 }}
  periodSeconds: 3
  failureThreshold: 40
livenessProbe:
  {{- include "trade-agent.probe" (merge (dict "path" "/healthz") .) | nindent 2 }}
  periodSeconds: 20
  failureThreshold: 3
readinessProbe:
  {{- include "trade-agent.probe" (merge (dict "path" "/readyz") .) | nindent 2 }}
  periodSeconds: 5
  failureThreshold: 2
{{- end }}

{{- /* Deployment, settings and budget of a gateway, server or worker: root, part, values, config, file, secretName, args, probes. */}}
{{- define "trade-agent.deployment" -}}
{{- $name := include "trade-agent.name" . -}}
{{- if not .config.database }}{{ fail (printf "%s of %s has no \"database\": a pod keeps nothing" .file .part) }}{{ end -}}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ $name }}
  labels: {{- include "trade-agent.labels" . | nindent 4 }}
data:
  {{ .file }}: |
    {{- toYaml .config | nindent 4 }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ $name }}
  labels: {{- include "trade-agent.labels" . | nindent 4 }}
spec:
  maxUnavailable: 1
  selector:
    matchLabels: {{- include "trade-agent.selector" . | nindent 6 }}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $name }}
  labels: {{- include "trade-agent.labels" . | nindent 4 }}
spec:
  replicas: {{ .values.replicas }}
  # One after the other, each once its successor is ready.
  strategy: { type: RollingUpdate, rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } }
  selector:
    matchLabels: {{- include "trade-agent.selector" . | nindent 6 }}
  template:
    metadata:
      labels: {{- include "trade-agent.labels" . | nindent 8 }}
      annotations:
        checksum/config: {{ toYaml .config | sha256sum }}
    spec:
      serviceAccountName: {{ .root.Values.serviceAccountName }}
      automountServiceAccountToken: false
      enableServiceLinks: false
      {{- with .root.Values.imagePullSecrets }}
      imagePullSecrets: {{- toYaml . | nindent 8 }}
      {{- end }}
      # 5 seconds until no new requests come, 20 for those in progress, and some to spare.
      terminationGracePeriodSeconds: 40
      securityContext: {{- include "trade-agent.podSecurity" . | nindent 8 }}
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels: {{- include "trade-agent.selector" . | nindent 14 }}
      {{- with .values.rulesConfigMapName }}
      # Rules must be files that only the gateway's user can write; a ConfigMap's are links.
      initContainers:
        - name: rules
          image: {{ include "trade-agent.image" $.root }}
          imagePullPolicy: {{ $.root.Values.image.pullPolicy }}
          command: [sh, -ec]
          args:
            - |
              install -d -m 0700 /data/gateway /data/gateway/policies
              for file in /rules/*; do
                case $file in
                  */limits.yaml) install -m 0600 "$file" /data/gateway/ ;;
                  *.cedar) install -m 0600 "$file" /data/gateway/policies/ ;;
                esac
              done
          securityContext: {{- include "trade-agent.containerSecurity" $ | nindent 12 }}
          resources: { requests: { cpu: 10m, memory: 16Mi }, limits: { memory: 64Mi } }
          volumeMounts:
            - { name: data, mountPath: /data }
            - { name: rules, mountPath: /rules, readOnly: true }
      {{- end }}
      containers:
        - name: {{ .part }}
          image: {{ include "trade-agent.image" .root }}
          imagePullPolicy: {{ .root.Values.image.pullPolicy }}
          args: {{- toYaml .args | nindent 12 }}
          env:
            # The Secret's files, not the links to them: a private file must be no link.
            - { name: CREDENTIALS_DIRECTORY, value: /run/credentials/trade-agent/..data }
            {{- with .modelSecretName }}
            - name: TRADE_AGENT_API_KEY
              valueFrom: { secretKeyRef: { name: {{ . }}, key: TRADE_AGENT_API_KEY } }
            {{- end }}
            {{- with .values.extraEnv }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
          {{- if ne .part "worker" }}
          ports: [{ name: http, containerPort: 7070 }]
          lifecycle: { preStop: { exec: { command: [sleep, "5"] } } }
          {{- end }}
          {{- include "trade-agent.probes" .probes | nindent 10 }}
          securityContext: {{- include "trade-agent.containerSecurity" . | nindent 12 }}
          resources: {{- toYaml .values.resources | nindent 12 }}
          volumeMounts:
            - { name: data, mountPath: /data }
            - { name: tmp, mountPath: /tmp }
            - { name: config, mountPath: /etc/trade-agent, readOnly: true }
            - { name: credentials, mountPath: /run/credentials/trade-agent, readOnly: true }
            {{- if .values.tlsSecretName }}
            - { name: tls, mountPath: /tls, readOnly: true }
            {{- end }}
        {{- with .values.extraContainers }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      volumes:
        # A copy of what the database has: the audit log's lines are written here again after a restart.
        - { name: data, emptyDir: {} }
        - { name: tmp, emptyDir: { medium: Memory, sizeLimit: 64Mi } }
        - { name: config, configMap: { name: {{ $name }} } }
        - { name: credentials, secret: { secretName: {{ required (printf "%s: secretName is missing" .part) .secretName }}, defaultMode: 0440 } }
        {{- with .values.rulesConfigMapName }}
        - { name: rules, configMap: { name: {{ . }} } }
        {{- end }}
        {{- with .values.tlsSecretName }}
        - { name: tls, secret: { secretName: {{ . }}, defaultMode: 0440 } }
        {{- end }}
{{- end }}

{{- define "trade-agent.service" -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "trade-agent.name" . }}
  labels: {{- include "trade-agent.labels" . | nindent 4 }}
spec:
  selector: {{- include "trade-agent.selector" . | nindent 4 }}
  ports: [{ name: {{ ternary "https" "http" (not (empty .values.tlsSecretName)) }}, port: {{ ternary 443 80 (not (empty .values.tlsSecretName)) }}, targetPort: http }]
{{- end }}

{{- /* How a gateway or server listens: by TLS, or behind its proxies and for its own probes. */}}
{{- define "trade-agent.listening" -}}
- --host=0.0.0.0
- --port=7070
{{- if .values.tlsSecretName }}
- --tls-cert=/tls/tls.crt
- --tls-key=/tls/tls.key
{{- else if .values.proxies }}
- --proxy=127.0.0.1
{{- range .values.proxies }}
- --proxy={{ . }}
{{- end }}
{{- else }}{{ fail (printf "%s: set tlsSecretName, or proxies: plain HTTP to others is refused" .part) }}
{{- end }}
{{- end }}

{{- /* Creates or updates the tables with the new program, before its pods replace the old ones. */}}
{{- define "trade-agent.migration" -}}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ include "trade-agent.name" . }}-migrate
  labels: {{- include "trade-agent.labels" (dict "root" .root "part" (printf "%s-migrate" .part)) | nindent 4 }}
  annotations:
    helm.sh/hook: pre-install,pre-upgrade
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
spec:
  backoffLimit: 2
  activeDeadlineSeconds: 1800
  template:
    metadata:
      labels: {{- include "trade-agent.selector" (dict "root" .root "part" (printf "%s-migrate" .part)) | nindent 8 }}
    spec:
      restartPolicy: Never
      automountServiceAccountToken: false
      enableServiceLinks: false
      {{- with .root.Values.imagePullSecrets }}
      imagePullSecrets: {{- toYaml . | nindent 8 }}
      {{- end }}
      securityContext: {{- include "trade-agent.podSecurity" . | nindent 8 }}
      containers:
        - name: migrate
          image: {{ include "trade-agent.image" .root }}
          imagePullPolicy: {{ .root.Values.image.pullPolicy }}
          args: [{{ .part }}, migrate, --url-env=OWNER_URL]
          env:
            - name: OWNER_URL
              valueFrom: { secretKeyRef: { name: {{ required (printf "%s.migrateSecretName is missing" .part) .values.migrateSecretName }}, key: owner-url } }
          securityContext: {{- include "trade-agent.containerSecurity" . | nindent 12 }}
          resources: { requests: { cpu: 100m, memory: 256Mi }, limits: { memory: 512Mi } }
          volumeMounts:
            - { name: data, mountPath: /data }
            - { name: tmp, mountPath: /tmp }
      volumes:
        - { name: data, emptyDir: {} }
        - { name: tmp, emptyDir: { medium: Memory, sizeLimit: 64Mi } }
{{- end }}
