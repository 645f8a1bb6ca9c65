// What the Node.js peers share: the workloads, a closed loop, and the line that is printed.
//
// A peer is a script: PEER WORKLOAD CONNECTIONS IN_FLIGHT SECONDS, with the server in DATABASE_URL.
// With --available it only says by its exit status whether its library is installed.
'use strict';

// Long enough for the compiler to have seen what is hot.
const WARM_UP_MS = 1000;
const SQL = {
        select: 'SELECT id, value FROM bench_read WHERE id = $1',
        insert: 'INSERT INTO bench_write (value) VALUES ($1)',
        rows: 'SELECT id, value FROM bench_rows',
};

function check(workload, key, rows) {
        let right = true;
        if (workload === 'select') {
                right = rows.length === 1 && rows[0].id === key && rows[0].value === key * 7;
        } else if (workload === 'rows') {
                const sum = rows.reduce((all, row) => all + row.value - 6 * row.id, 0);
                right = rows.length === 1000 && sum === 500500;
        }
        if (!right) {
                throw new Error(`${workload}: a wrong answer`);
        }
}

class Clock {
        constructor(seconds) {
                this.start = performance.now() + WARM_UP_MS;
                this.end = this.start + seconds * 1000;
                this.latencies = [];
                this.cpu = null;
        }

        going(now) {
                return now < this.end;
        }

        ended(began, now) {
                if (began < this.start) {
                        return;
                }
                if (this.cpu === null) {
                        this.cpu = process.cpuUsage();
                        this.start = began;
                }
                this.latencies.push(now - began);
        }

        line(workload) {
                const wall = (performance.now() - this.start) / 1000;
                const cpu = process.cpuUsage(this.cpu);
                const sorted = Float64Array.from(this.latencies).sort();
                const n = sorted.length;
                const quantile = (part) => sorted[Math.min(n - 1, Math.floor(part * n))] * 1000;
                return {
                        per_second: (n * (workload === 'rows' ? 1000 : 1)) / wall,
                        unit: workload === 'rows' ? 'rows' : 'queries',
                        cpu_us_per_query: (cpu.user + cpu.system) / n,
                        p50_us: quantile(0.5),
                        p99_us: quantile(0.99),
                        p999_us: quantile(0.999),
                        peak_kib: process.resourceUsage().maxRSS,
                };
        }
}

async function askUntilEnd(ask, workload, clock) {
        let began = performance.now();
        while (clock.going(began)) {
                const key = 1 + Math.floor(Math.random() * 10000);
                const rows = await ask(SQL[workload], workload === 'rows' ? [] : [key]);
                check(workload, key, rows);
                const now = performance.now();
                clock.ended(began, now);
                began = now;
        }
}

// name: of the module. open(module, url, connections) gives {ask(sql, values), close()}.
async function run(name, open) {
        let found = null;
        try {
                found = require(name);
        } catch {
                process.exit(1);
        }
        if (process.argv[2] === '--available') {
                return;
        }
        const [workload, connections, inFlight, seconds] = process.argv.slice(2);
        const client = await open(found, process.env.DATABASE_URL, Number(connections));
        const clock = new Clock(Number(seconds));
        const loops = [];
        for (let i = 0; i < Number(inFlight); i++) {
                loops.push(askUntilEnd(client.ask, workload, clock));
        }
        await Promise.all(loops);
        console.log(JSON.stringify(clock.line(workload)));
        await client.close();
}

module.exports = { run };
