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
  const std::vector<Metadata> metadata = metadata_records().unpack(reader.text());
  if (metadata.size() != 1) throw DataError("a task must have one record of metadata");
  task.metadata = metadata.front();
  task.id = TaskId{task.metadata.task_id};
  for (Split* split : {&task.train, &task.test}) {
    split->x = reader.array<MatrixF>();
    split->y = reader.array<Labels>();
    split->group = reader.array<Labels>();
    split->y_clean = reader.array<Labels>();
    for (const Labels* labels : {&split->y, &split->group, &split->y_clean})
      if (labels->size() != split->rows()) throw DataError("labels of a task do not fit its rows");
  }
  return task;
}

} // namespace metasieve
