/* SPDX-License-Identifier: ISC
 *
 * newfile: a file that somebody asked for by name: there whole, or not there at all. It has no name while it is written (O_TMPFILE),
 * and is written by a process of its own, which may give up every power before it reads what is hostile: the name is made by the one
 * that kept its power and read nothing.
 */
#ifndef BUNDLE_NEWFILE_H
#define BUNDLE_NEWFILE_H

/* Writes the file to FD, says what there is to say, and returns an exit status: 0 where the file is to stay. */
typedef int newfile_work(void *ctx, int fd);

/* Calls WORK in a child, and gives the file the name PATH where it returned 0. What has that name already is never replaced, and
 * refused before WORK begins. Where the file system has no unnamed files (FAT, NFS) the name is there from the start and goes again.
 * The file is durable when this returns 0. Otherwise WORK's exit status, or 2 with a line on stderr: FAULT_FILE (the name), FAULT_STORAGE
 * (the disk), or how the child was killed. The process has one thread. */
int newfile_make(const char *path, newfile_work *work, void *ctx);

#endif
