// Certificates by CZMQ: `make FILE` writes a pair with metadata; `show FILE` prints what zcert_load finds.
#include <czmq.h>

static int make(const char *file) {
  zcert_t *cert = zcert_new();
  zcert_set_meta(cert, "name", "%s", "Ann Example");
  zcert_set_meta(cert, "email", "%s", "ann@example.com");
  zcert_set_meta(cert, "organisation", "%s", "Ann's & Bob's, M\xc3\xbcnchen # 1");
  int rc = zcert_save(cert, file);
  zcert_destroy(&cert);
  return rc == 0 ? 0 : 1;
}

static int show(const char *file) {
  zcert_t *cert = zcert_load(file);
  if (!cert) return 1;
  printf("%s\n%s\n", zcert_public_txt(cert), zcert_secret_txt(cert));
  zlist_t *names = zcert_meta_keys(cert);
  for (char *name = zlist_first(names); name; name = zlist_next(names))
    printf("%s=%s\n", name, zcert_meta(cert, name));
  zlist_destroy(&names);
  zcert_destroy(&cert);
  return 0;
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  return strcmp(argv[1], "make") == 0 ? make(argv[2]) : show(argv[2]);
}
