#include "io/task_bytes.hpp"

#include "io/bytes.hpp"
#include "io/task_records.hpp"

namespace metasieve {

std::string task_bytes(const Task& task) {
  ByteWriter bytes;
  bytes.put(metadata_records().pack({task.metadata}));
  for (const Split* split : {&task.train, &task.test})
    bytes.put(split->x).put(split->y).put(split->group).put(split->y_clean);
  return bytes.take();
}

Task task_of_bytes(const std::string& bytes) {
  ByteReader reader(bytes);
  Task task;
  task.metadata = metadata_records().unpack(reader.text()).at(0);
  task.id = TaskId{task.metadata.task_id};
  for (Split* split : {&task.train, &task.test}) {
    split->x = reader.array<MatrixF>();
    split->y = reader.array<Labels>();
    split->group = reader.array<Labels>();
    split->y_clean = reader.array<Labels>();
  }
  return task;
}

} // namespace metasieve
