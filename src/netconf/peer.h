/*
 * Who is at the other end of the control socket.
 *
 * The kernel says who the user is (SO_PEERCRED): over ssh it is that of the relay, which sshd runs
 * as the user who logged in. Only the relay knows where that user came from, and tells us in the
 * name of its end of the socket, which costs the protocol nothing. Any client can claim anything
 * there: it is a hint for people and decides nothing.
 */
#ifndef NETCONF_PEER_H
#define NETCONF_PEER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/types.h>

struct peer {
	uid_t uid;
	gid_t gid;
	pid_t pid;                     /* of the process that connected */
	char user[36];                 /* or "uid 1000" if it has no name */
	char source[INET6_ADDRSTRLEN]; /* the ssh client's address by the relay's word; "": none */
};

/* 0 or a negative errno. */
int peer_read(int fd, struct peer *ret);

/* Root and the daemon's own user: they may see secrets, and places are kept for them. */
bool peer_privileged(uid_t uid);

/*
 * For the relay, before it connects: name its end of the socket after @ssh_connection, sshd's
 * SSH_CONNECTION ("client port server port"; NULL: not under sshd). False: it stays unnamed.
 */
bool peer_tell_source(int fd, const char *ssh_connection);

#endif
