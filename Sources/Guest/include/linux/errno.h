#ifndef _LINUX_ERRNO_H
#define _LINUX_ERRNO_H
#define EPERM 1
#define EIO 5
#define EBADF 9
#define ENOMEM 12
#define ENOENT 2
#define EFAULT 14
#define EBUSY 16
#define EEXIST 17
#define ENODEV 19
#define EINVAL 22
#define ENOSPC 28
#define ERANGE 34
#define ENOSYS 38
#define EADDRNOTAVAIL 99
#define EOPNOTSUPP 95
#endif
