# A home in a container, of the packed package alone: npm pack && docker build -t trade-agent-home .
# docs/HOME.md says how it is made and served.
FROM node:24-slim
COPY trade-agent-*.tgz /tmp/
RUN npm install --global --omit=dev /tmp/trade-agent-*.tgz \
 && rm -r /tmp/trade-agent-*.tgz /root/.npm \
 && install -d -o node -g node -m 0700 /data
# Nobody's keys but its own: a user without rights, and one folder to write to.
USER node
ENV TRADE_AGENT_HOME=/data/agent HOME=/data NODE_ENV=production
VOLUME /data
# It must be given a certificate (--tls-cert, --tls-key) or named its proxy (--proxy): plain HTTP is refused here.
EXPOSE 4780
ENTRYPOINT ["trade-agent", "home"]
CMD ["serve", "--listen", "0.0.0.0:4780"]
