// The library itself: start, end, rank numbers, texts and settings.
#include <string.h>

#include "internal.h"

static int copy_text(const char *from, void *text, size_t capacity) {
  const size_t length = strnlen(from, capacity - 1);
  memcpy(text, from, length);
  ((char *)text)[length] = 0;
  return MPI_SUCCESS;
}

int cmpi_init(void) {
  int level;
  // SERIALIZED lets another thread call MPI too. MULTIPLE is not needed, and would cost a lock in every call.
  TRY(MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &level));
  TRY(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN));
  return level >= MPI_THREAD_SERIALIZED ? MPI_SUCCESS : MPI_ERR_OTHER;
}

int cmpi_finalize(void) { return MPI_Finalize(); }
int cmpi_abort(int code) { return MPI_Abort(MPI_COMM_WORLD, code); }

int cmpi_ranks(int *rank, int *size, int *local_rank, int *local_size) {
  MPI_Comm node;
  TRY(MPI_Comm_rank(MPI_COMM_WORLD, rank));
  TRY(MPI_Comm_size(MPI_COMM_WORLD, size));
  TRY(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, *rank, MPI_INFO_NULL, &node));
  TRY(MPI_Comm_rank(node, local_rank));
  TRY(MPI_Comm_size(node, local_size));
  return MPI_Comm_free(&node);
}

int cmpi_error_text(int status, void *text, size_t capacity) {
  char all[MPI_MAX_ERROR_STRING] = "";
  int length;
  TRY(MPI_Error_string(status, all, &length));
  return copy_text(all, text, capacity);
}

int cmpi_version(void *text, size_t capacity) {
  char all[MPI_MAX_LIBRARY_VERSION_STRING] = "";
  int length;
  TRY(MPI_Get_library_version(all, &length));
  return copy_text(all, text, capacity);
}

static int read_setting(const char *name, char *value, int capacity) {
  int index, length = 0, verbosity, binding, scope, count = 0;
  MPI_Datatype type;
  MPI_T_enum choices;
  MPI_T_cvar_handle handle;
  TRY(MPI_T_cvar_get_index(name, &index));
  TRY(MPI_T_cvar_get_info(index, NULL, &length, &verbosity, &type, &choices, NULL, &length, &binding,
                          &scope));
  if (type != MPI_CHAR) return MPI_ERR_TYPE;
  TRY(MPI_T_cvar_handle_alloc(index, NULL, &handle, &count));
  const int status = count <= capacity ? MPI_T_cvar_read(handle, value) : MPI_ERR_COUNT;
  TRY(MPI_T_cvar_handle_free(&handle));
  return status;
}

int cmpi_setting(const void *name, void *text, size_t capacity) {
  char value[4096] = "";
  int level;
  TRY(MPI_T_init_thread(MPI_THREAD_SERIALIZED, &level));
  const int status = read_setting(name, value, sizeof value);
  TRY(MPI_T_finalize());
  return status == MPI_SUCCESS ? copy_text(value, text, capacity) : status;
}
