// postgres.js: it prepares and pipelines by itself, a Sync behind each statement.
'use strict';

const { run } = require('./_closed_loop.cjs');

// It takes a folder for the socket as an option, not in the URL.
function options(url, connections) {
        const parsed = new URL(url.replace('postgresql:///', 'postgresql://localhost/'));
        const folder = parsed.searchParams.get('host');
        const port = parsed.port || '5432';
        return {
                path: folder ? `${folder}/.s.PGSQL.${port}` : undefined,
                host: folder ? undefined : parsed.hostname,
                port: Number(port),
                user: parsed.searchParams.get('user') || parsed.username,
                database: parsed.pathname.slice(1),
                max: connections,
                fetch_types: false,
        };
}

run('postgres', async (postgres, url, connections) => {
        const sql = postgres(options(url, connections));
        return {
                ask: (text, values) => sql.unsafe(text, values, { prepare: true }),
                close: () => sql.end(),
        };
});
