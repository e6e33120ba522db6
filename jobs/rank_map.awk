# The map of ranks and cores of a job, and what is wrong with it: jobs/job.sh.
#
#   awk -v threads=T -v allocated=CORES -f jobs/rank_map.awk      reads lines "rank HOST RANK CORES", CORES as in
#                                                                 Cpus_allowed_list, e.g. 0-3,8; others are skipped

# Counts the cores of the list: the rank's own, and those of its host.
function take(list, host,    part, bounds, count, i, core) {
  own = 0
  count = split(list, part, ",")
  for (i = 1; i <= count; ++i) {
    if (split(part[i], bounds, "-") == 1) bounds[2] = bounds[1]
    for (core = bounds[1] + 0; core <= bounds[2] + 0; ++core) {
      ++own
      if (!((host, core) in seen)) ++cores[host]
      seen[host, core] = 1
    }
  }
}

$1 == "rank" && NF == 4 {
  host = $2
  if (!(host in ranks)) order[++hosts] = host
  take($4, host)
  line[host] = line[host] (ranks[host]++ ? ", " : " ") "rank " $3 " on " $4
  if (own < threads)
    narrow[host] = sprintf("rank %d has %d threads on %d core%s", $3, threads, own, own == 1 ? "" : "s")
  ++total
}

END {
  for (i = 1; i <= hosts; ++i) print "   " order[i] ":" line[order[i]]
  for (i = 1; i <= hosts; ++i) {
    host = order[i]
    if (ranks[host] * threads > cores[host])
      printf "== warning: %s is oversubscribed: %d ranks x %d threads on %d cores\n",
        host, ranks[host], threads, cores[host]
    else if (host in narrow)
      printf "== warning: %s is oversubscribed: %s\n", host, narrow[host]
  }
  if (total * threads < allocated)
    printf "== warning: %d of %d cores stay idle: raise --ntasks-per-node or --cpus-per-task\n",
      allocated - total * threads, allocated
}
