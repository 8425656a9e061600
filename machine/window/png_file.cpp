// PNG by libpng's simplified interface.
#include "machine/window/png_file.h"

#include <fmt/format.h>
#include <png.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

namespace ia64::machine::window {
namespace {

Result<std::vector<u8>> encode(const Picture& picture) {
  std::vector<u8> rgb;
  rgb.reserve(size_t{3} * picture.width * picture.height);
  for (unsigned y = 0; y < picture.height; y++) {
    const u32* const row = picture.pixels + y * picture.pitch_bytes / sizeof(u32);
    for (unsigned x = 0; x < picture.width; x++)
      for (const unsigned shift : {16, 8, 0}) rgb.push_back(static_cast<u8>(row[x] >> shift));
  }
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = picture.width;
  image.height = picture.height;
  image.format = PNG_FORMAT_RGB;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  std::vector<u8> out(size);
  if (!png_image_write_to_memory(&image, out.data(), &size, 0, rgb.data(), 0, nullptr)) return Error{ErrorKind::Internal, image.message};
  out.resize(size);
  return out;
}

}  // namespace

Result<void> write_png(const std::string& path, const Picture& picture) {
  auto bytes = encode(picture);
  if (!bytes) return bytes.error();
  const std::string partial = path + ".part";
  std::FILE* const f = std::fopen(partial.c_str(), "wb");
  const bool written = f && std::fwrite(bytes->data(), 1, bytes->size(), f) == bytes->size();
  const bool closed = f && std::fclose(f) == 0;
  if (written && closed && std::rename(partial.c_str(), path.c_str()) == 0) return {};
  const Error error{ErrorKind::Io, fmt::format("screenshot {}: {}", path, std::strerror(errno))};
  if (f) std::remove(partial.c_str());
  return error;
}

}  // namespace ia64::machine::window
