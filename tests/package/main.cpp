// Makes a task, fits a logistic regression to its noisy training labels, and tells how it does on the clean
// test rows.
#include "base/version.hpp"
#include "fairness/metrics.hpp"
#include "features/probe.hpp"
#include "tasks/generate.hpp"

#include <iomanip>
#include <iostream>

int main() {
  using namespace metasieve;
  Family family;
  family.samples = {1000, 1000};
  family.separability = {1, 1};
  const Task task = generate_task(family, Seed{7}, TaskId{3});

  const Probe probe = fit_probe(task.train, true, 1e-3);
  const Vector logits = row_logits(design_matrix(task.test, probe.standardizer), probe.beta);
  const Metrics metrics = evaluate_predictor(logits, task.test.y, task.test.group);

  std::cout << std::setprecision(17) << "version " << version() << "\nn_train " << task.train.rows()
            << "\ntrain_actual_noise_rate " << task.metadata.train_actual_noise_rate << "\naccuracy "
            << metrics.accuracy << "\n";
}
