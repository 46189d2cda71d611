// Writes a JPEG that Pillow cannot write: jpeg_kinds KIND WIDTH HEIGHT < RGB > FILE. Kinds: HxV (sampling factors of
// the luminance), arithmetic, arithmetic-progressive, rgb (no change of colours), ycck (of inks that are 255 less the
// levels, and the mean of the levels as black).
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

int main(int count, char **words) {
  if (count != 4) return 2;
  const char *kind = words[1];
  const int width = atoi(words[2]), height = atoi(words[3]), inks = !strcmp(kind, "ycck");
  struct jpeg_compress_struct encoder;
  struct jpeg_error_mgr errors;
  encoder.err = jpeg_std_error(&errors);
  jpeg_create_compress(&encoder);
  jpeg_stdio_dest(&encoder, stdout);
  encoder.image_width = width;
  encoder.image_height = height;
  encoder.input_components = inks ? 4 : 3;
  encoder.in_color_space = inks ? JCS_CMYK : JCS_RGB;
  jpeg_set_defaults(&encoder);
  if (inks) jpeg_set_colorspace(&encoder, JCS_YCCK);
  jpeg_set_quality(&encoder, 92, TRUE);
  int h, v;
  if (sscanf(kind, "%dx%d", &h, &v) == 2) {
    encoder.comp_info[0].h_samp_factor = h;
    encoder.comp_info[0].v_samp_factor = v;
  }
  if (!strcmp(kind, "rgb")) jpeg_set_colorspace(&encoder, JCS_RGB);
  if (!strncmp(kind, "arithmetic", 10)) encoder.arith_code = TRUE;
  if (strstr(kind, "progressive")) jpeg_simple_progression(&encoder);
  jpeg_start_compress(&encoder, TRUE);
  unsigned char rgb[3], *row = malloc(4 * (size_t)width);
  for (int y = 0; y < height; y++) {
    for (int x = 0; x < width; x++) {
      if (fread(rgb, 1, 3, stdin) != 3) return 1;
      for (int c = 0; c < 3; c++) row[encoder.input_components * x + c] = rgb[c];
      if (inks) row[4 * x + 3] = (unsigned char)((rgb[0] + rgb[1] + rgb[2]) / 3);
    }
    jpeg_write_scanlines(&encoder, &row, 1);
  }
  jpeg_finish_compress(&encoder);
  return 0;
}
