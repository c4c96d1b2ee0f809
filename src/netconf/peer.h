/*
 * Who is at the other end of the control socket.
 *
 * The user is what the kernel says (SO_PEERCRED): for a session over ssh that
 * of the relay, which sshd runs as the user who logged in. Where that user came
 * from only the relay knows. It says so in the name of its own end of the
 * socket, which costs the protocol nothing. Whoever may connect may say what he
 * likes there: it is a hint for people and decides nothing.
 */
#ifndef NETCONF_PEER_H
#define NETCONF_PEER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/types.h>

struct peer {
	uid_t uid;
	pid_t pid;                     /* of the process that connected */
	char user[36];                 /* "uid 1000" where nobody has a name for it */
	char source[INET6_ADDRSTRLEN]; /* the ssh client's address as the relay says, "" none */
};

/* 0 or a negative errno. */
int peer_read(int fd, struct peer *ret);

/* Root and the daemon's own user: they see secrets, and places are kept for them. */
bool peer_privileged(uid_t uid);

/*
 * For the relay, before it connects: name its end of the socket after @ssh_connection, as sshd
 * sets SSH_CONNECTION ("client port server port"; NULL: not under sshd). False: it stays unnamed.
 */
bool peer_tell_source(int fd, const char *ssh_connection);

#endif
