"""Speed and memory of a decision: processor time of a million draws of each shipped scenario, against 6 s and 1 GB."""

import resource
import sys
import time

from tokenecon.decision import answers, break_even, drivers, montecarlo, options, scenario

SECONDS, GIGABYTES = 6.0, 1.0  # of all processors together


def main(draws):
    """Print a line for each scenario; exit code 1 where a target is missed."""
    missed = False
    for name in scenario.names():
        case = scenario.load(scenario.FOLDER / f"{name}.yml")
        table = options.offers(case)
        crossings = break_even.against_api(case, table)
        wall, spent = time.perf_counter(), time.process_time()
        done = montecarlo.run(case, table, draws=draws)
        found = drivers.cheapest(case, done)
        drivers.tornado(case, done), drivers.waiting(case, done), drivers.kinds(case, done)
        answers.questions(case, crossings, done), answers.bills(case, done)
        wall, spent = time.perf_counter() - wall, time.process_time() - spent
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # of the process so far, in GB
        met = spent < SECONDS and memory < GIGABYTES
        missed |= not met
        first = found.table.iloc[0]
        print(f"decision {name:<18} {draws:>9,} draws {spent:6.2f} s of CPU ({wall:.2f} s) {memory:5.2f} GB "
              f"{'ok' if met else 'MISSED'} (target {SECONDS:g} s, {GIGABYTES:g} GB)  {first['name']} "
              f"{first['probability']:.4f} ± {first['probability_error']:.4f}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main(int(float(sys.argv[1])) if len(sys.argv) > 1 else 1_000_000))
