// Another host on the same iSCSI unit: an initiator of its own whose session stays while lines come.
//   other_host iscsi://HOST:PORT/TARGET/LUN     each line of standard input is a command block in hexadecimal, without data;
//   each is answered by a line "status N", or "lost"
#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>

#include <cstdio>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

int main(int argc, char** argv) {
  iscsi_context* context = iscsi_create_context("iqn.2004-01.test:other-host");
  iscsi_url* url = argc == 2 && context ? iscsi_parse_full_url(context, argv[1]) : nullptr;
  if (!url || iscsi_set_targetname(context, url->target) || iscsi_set_session_type(context, ISCSI_SESSION_NORMAL) ||
      iscsi_connect_sync(context, url->portal) || iscsi_login_sync(context)) {
    std::printf("no session: %s\n", context ? iscsi_get_error(context) : "no memory");
    return 1;
  }
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::vector<unsigned char> cdb;
    for (unsigned byte; words >> std::hex >> byte;) cdb.push_back(static_cast<unsigned char>(byte));
    scsi_task* task = scsi_create_task(static_cast<int>(cdb.size()), cdb.data(), SCSI_XFER_NONE, 0);
    if (iscsi_scsi_command_sync(context, url->lun, task, nullptr))
      std::printf("status %d\n", task->status);
    else
      std::puts("lost");
    std::fflush(stdout);
    scsi_free_scsi_task(task);
  }
  iscsi_logout_sync(context);
  iscsi_destroy_url(url);
  iscsi_destroy_context(context);
}
