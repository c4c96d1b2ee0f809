/* Identifies this boot of the machine. */
#ifndef BASE_BOOT_ID_H
#define BASE_BOOT_ID_H

#define BOOT_ID_SIZE 40

/* boot_id of random(4); "" if it cannot be read. */
void boot_id_read(char ret[BOOT_ID_SIZE]);

#endif
