# Stand-in for the official Redis image, apart from the other bases: made only where Dapr is turned on.
# hadolint global ignore=DL3008
FROM scratch AS debian
ADD debian.tar /
COPY apt.conf /etc/apt/apt.conf.d/80-todo

# Debian's server (a link to another program of the package), its client, what they link, and a busybox shell.
FROM debian AS redis-made
RUN --mount=type=secret,id=ca-bundle \
    --mount=type=cache,target=/var/cache/apt,sharing=locked \
    --mount=type=cache,target=/var/lib/apt/lists,sharing=locked \
    apt-get update && apt-get install --no-install-recommends -y busybox-static ca-certificates redis-server
COPY gather.sh /
RUN sh /gather.sh /out /usr/bin/redis-server /usr/bin/redis-check-rdb /usr/bin/redis-cli \
    && chroot /out redis-server --version

FROM scratch AS redis
COPY --from=redis-made /out /
ENV LANG=C.UTF-8 PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
CMD ["redis-server"]
