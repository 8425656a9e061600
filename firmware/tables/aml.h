// A small encoder for ACPI machine language: named objects, packages and resource templates, built bottom-up.
#pragma once

#include <initializer_list>
#include <string_view>
#include <vector>

#include "firmware/tables/byte_image.h"

/// @source ACPI 2.0, chapter 17 (AML grammar) and 6.4 (resource data types)
namespace ia64::firmware::aml {

/// One encoded term; terms are concatenated into term lists.
using Term = std::vector<u8>;

/// Concatenates terms into a term list.
Term list(std::initializer_list<Term> terms);

/// An integer constant in its shortest literal form. Zero and One become byte literals too, never ZeroOp:
/// package elements stay plain integers for old interpreters.
Term integer(u64 value);
Term string(std::string_view text);
Term package(const std::vector<Term>& elements);
Term buffer(const std::vector<u8>& bytes);

/// `_HID` value of a PNP id such as "PNP0A03" as a compressed EISA integer. @param id three letters, four hex
/// digits
Term eisa_id(std::string_view id);

/// Name(segment, value). @param segment up to four characters, filled with '_'
Term name(std::string_view segment, const Term& value);
/// Scope(path) { body }. @param path one segment, with an optional leading '\'
Term scope(std::string_view path, const Term& body);
Term device(std::string_view segment, const Term& body);
/// Processor(segment, id, 0, 0) { body }: without a P_BLK.
Term processor(std::string_view segment, u8 id, const Term& body);

/// Builds the buffer of a _CRS.
class ResourceTemplate {
 public:
  ResourceTemplate& bus_range(u16 first, u16 last);
  /// A producer window of ports behind sparse translation. @param translation address of port 0 in the memory
  /// space
  ResourceTemplate& sparse_port_window(u64 first, u64 count, u64 translation);
  /// A producer window of non-cacheable memory.
  ResourceTemplate& memory_window(u64 base, u64 size_bytes);
  /// A consumer's fixed register block below 4 GiB.
  ResourceTemplate& memory32(u32 base, u32 size_bytes);
  /// A consumer's block anywhere.
  ResourceTemplate& memory64(u64 base, u64 size_bytes);
  /// One level-triggered, active-low, unshared interrupt.
  ResourceTemplate& interrupt(u32 gsi);
  /// The finished Buffer term, end tag included.
  Term finish() const;

 private:
  ResourceTemplate& address64(u8 type, u8 general_flags, u8 type_flags, u64 base, u64 size, u64 translation);
  ByteImage bytes_;
};

}  // namespace ia64::firmware::aml
