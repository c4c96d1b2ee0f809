/* Which boot of this machine it is. */
#ifndef BASE_BOOT_ID_H
#define BASE_BOOT_ID_H

#define BOOT_ID_SIZE 40

/* boot_id of random(4); "" where there is none to be had. */
void boot_id_read(char ret[BOOT_ID_SIZE]);

#endif
