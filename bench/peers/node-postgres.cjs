// node-postgres: its pool, and named prepared statements.
'use strict';

const { run } = require('./_closed_loop.cjs');

run('pg', async (pg, url, connections) => {
        const pool = new pg.Pool({ connectionString: url, max: connections, min: connections });
        return {
                ask: async (text, values) => {
                        const result = await pool.query({ name: 'bench', text, values });
                        return result.rows;
                },
                close: () => pool.end(),
        };
});
