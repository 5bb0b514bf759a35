# Everything runs in the project's own environment, .venv, made on first use from constraints.txt (exact versions).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
LOWEST := .venv-lowest

# Each server, load worker and command of a test is a new process. Without bytecode on disk each would compile the harness again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test check format types bench lowest matrix kafka picture secrets clean

demo: $(READY)  ## run Scenario A at smoke size and print where the report is
	$(BIN)/harness run scenario-a --size smoke

# Four tests run at a time on two cores, because many of them wait. Tests in containers follow one after another, also when the
# first part fails; the second part reads only the files that have such tests.
test: $(READY)  ## all tests, most of them side by side
	@failed=0; \
	$(BIN)/python -m pytest -n 4 --dist loadgroup -m "not docker" || failed=1; \
	$(BIN)/python -m pytest -m docker $$(grep -rl --include='*.py' 'mark\.docker' tests) || failed=1; \
	exit $$failed

lowest: $(LOWEST)/.ready  ## Scenario A at smoke size with the lowest versions that pyproject.toml allows
	$(LOWEST)/bin/harness run scenario-a --size smoke --force --out $(LOWEST)/results

# Cells of 3 s decide little about latency on a busy machine (exit code 3), and are to show something else. A loss fails.
matrix: $(READY)  ## the whole decision matrix at smoke size, in six minutes; without `make kafka` it says what Kafka lacks
	$(BIN)/harness matrix --size smoke --force --out build/matrix || test $$? -eq 3

# Any Maven client will do. Checksums are ours: the same jars on every machine, or none.
kafka:  ## build/kafka, the jars that --backplane kafka needs in the embedded environment (needs mvn)
	mvn --quiet --batch-mode --strict-checksums --file compose/kafka-pom.xml dependency:copy-dependencies \
		-DincludeScope=runtime -DoutputDirectory=$(CURDIR)/build/kafka/unchecked
	cd build/kafka/unchecked && sha256sum --check --quiet --strict $(CURDIR)/compose/kafka-jars.sha256
	rm -rf build/kafka/libs && mv build/kafka/unchecked build/kafka/libs

picture: $(READY)  ## docs/pictures/report.png, the picture in README.md, from a run of Scenario B (needs chromium)
	$(BIN)/harness run scenario-b --size smoke --out build/picture
	chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=1200,1300 \
		--screenshot=docs/pictures/report.png "file://$(CURDIR)/build/picture/scenario-b/latest/report.html"

check: $(READY)  ## what CI checks besides the tests: format, lint, types, and that every test module can be imported
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest --collect-only -qq > /dev/null || $(BIN)/python -m pytest --collect-only -qq

format: $(READY)  ## rewrite the code in the house format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY)  ## measure every claim about speed, beside lower bounds and other programs
	$(BIN)/python -m bench

# The files are readable for all users, but their folder is only for its owner: compose mounts each file unchanged into a
# container, which has another user.
secrets:  ## the token and passwords of compose/compose.yaml; existing ones stay
	@umask 077 && mkdir -p compose/secrets && cd compose/secrets && \
	for name in token postgres-password redis-password; do \
		test -s $$name || $(PYTHON) -c 'import secrets; print(secrets.token_urlsafe(24), end="")' > $$name; \
	done && \
	printf 'requirepass "%s"\nsave ""\nappendonly no\nclient-output-buffer-limit pubsub 32mb 8mb 60\n' \
		"$$(cat redis-password)" > redis.conf && \
	chmod 644 token postgres-password redis-password redis.conf
	@echo "compose/secrets holds the token and the passwords"

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("harness needs Python 3.11 or newer; found " + sys.version.split()[0] + " (choose another with: make PYTHON=python3.13 …)")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --group dev -e .
	@touch $@

$(LOWEST)/.ready: pyproject.toml .ci/lowest.py
	$(PYTHON) -m venv --clear $(LOWEST)
	$(LOWEST)/bin/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	$(LOWEST)/bin/python .ci/lowest.py > $(LOWEST)/lowest.txt
	$(LOWEST)/bin/python -m pip install --quiet --disable-pip-version-check -c $(LOWEST)/lowest.txt -e .
	@touch $@

clean:  ## remove the environment and caches; results stay
	rm -rf $(VENV) $(LOWEST) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
