"""Predicts recidivism from COMPAS by gradient boosting: fitted on all rows, and on the rows that the policy trusts.

    PYTHONPATH=analysis python3 docs/examples/compas.py compas-scores-two-years.csv
"""
import sys

import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import train_test_split

from metasieve import SievedClassifier

people = pd.read_csv(sys.argv[1]).query("-30 <= days_b_screening_arrest <= 30")
people = people[people["race"].isin(["African-American", "Caucasian"])]
X = pd.get_dummies(people[["age", "sex", "race", "priors_count", "juv_fel_count", "juv_misd_count", "c_charge_degree"]])
y, race = people["two_year_recid"], people["race"]
X, X_test, y, y_test, race, race_test = train_test_split(X, y, race, test_size=0.3, stratify=y, random_state=0)

wrong = y.sample(frac=0.1, random_state=0).index  # one label in ten is recorded wrongly
y = y.where(~y.index.isin(wrong), 1 - y)

boosting = HistGradientBoostingClassifier(max_iter=50, random_state=0)
trusted = SievedClassifier(boosting).fit(X, y, sensitive_features=race)
print(f"of the wrong labels {100 * (~trusted.sieve_.support_[y.index.isin(wrong)]).mean():.0f} % are not selected")

for name, model in (("all rows", boosting.fit(X, y)), ("trusted rows", trusted)):
    predicted = pd.Series(model.predict(X_test), index=y_test.index)
    false_alarms = predicted[y_test == 0].groupby(race_test).mean()
    print(f"{name:12}  accuracy {(predicted == y_test).mean():.3f}  false alarms " +
          "  ".join(f"{group} {rate:.3f}" for group, rate in false_alarms.items()))
