-- The tables of the benchmark, made once for each server.
SET client_min_messages = warning;
DROP TABLE IF EXISTS bench_read, bench_rows, bench_write, bench_update, bench_mixed;

CREATE TABLE bench_read (id int PRIMARY KEY, value int NOT NULL);
INSERT INTO bench_read SELECT i, i * 7 FROM generate_series(1, 10000) AS i;

CREATE TABLE bench_rows (id int PRIMARY KEY, value int NOT NULL);
INSERT INTO bench_rows SELECT i, i * 7 FROM generate_series(1, 1000) AS i;

CREATE TABLE bench_write (id serial PRIMARY KEY, value int NOT NULL);

CREATE TABLE bench_update (id int PRIMARY KEY, value int NOT NULL);
INSERT INTO bench_update SELECT i, i FROM generate_series(1, 10000) AS i;

-- One key of a hundred is slow: it waits for 2 ms, some 200 times what the others take. It waits as
-- for a disk or a lock, and burns no processor, so that what the others lose is lost by queueing.
CREATE TABLE bench_mixed (id int PRIMARY KEY, value int NOT NULL, pause float8 NOT NULL);
INSERT INTO bench_mixed
        SELECT i, i * 7, CASE WHEN i % 100 = 0 THEN 0.002 ELSE 0 END
        FROM generate_series(1, 10000) AS i;

VACUUM ANALYZE bench_read, bench_rows, bench_write, bench_update, bench_mixed;
