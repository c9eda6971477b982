/**
 * Every environment variable this service knows, for people: the configuration table of the README
 * is made from it.
 */

/** One setting: its variable, what it is when the variable is not set, and what it means. */
export type Setting = { variable: string; otherwise: string; meaning: string }

/** The settings in the order of the README. */
export const settings = [
  {
    variable: 'GYEOL_HOME',
    otherwise: './var',
    meaning:
      'Directory of what a process keeps: `vault`, and on one machine also keys, TLS and PostgreSQL',
  },
  {
    variable: 'DATABASE_URL',
    otherwise: 'an embedded PostgreSQL in the home',
    meaning: 'PostgreSQL, as the role of the process; for `start`, as a role that may create roles',
  },
  {
    variable: 'REDIS_URL',
    otherwise: 'the queue is in PostgreSQL',
    meaning: 'Redis for the queue; its `maxmemory-policy` must be `noeviction`',
  },
  { variable: 'GYEOL_HOST', otherwise: '127.0.0.1', meaning: 'Address at which the API listens' },
  {
    variable: 'GYEOL_PORT',
    otherwise: '8443',
    meaning: 'Port at which the API listens; 0 takes any free one',
  },
  {
    variable: 'GYEOL_LOG_LEVEL',
    otherwise: 'info',
    meaning: '`silent`, `error`, `warn`, `info` or `debug`',
  },
  {
    variable: 'GYEOL_SCRATCH',
    otherwise: '/dev/shm/gyeol-<uid>',
    meaning: 'Directory on a memory file system where jobs hold what they have opened',
  },
  {
    variable: 'GYEOL_JOBS',
    otherwise: 'one for each core',
    meaning: 'Jobs that a worker does at once',
  },
  {
    variable: 'GYEOL_JOB_MEMORY_MIB',
    otherwise: '400',
    meaning: 'Memory that one job may use in DuckDB, MiB',
  },
  {
    variable: 'GYEOL_JOB_THREADS',
    otherwise: '2',
    meaning: 'Threads that one job may use in DuckDB; two, so that a lone job leaves no core idle',
  },
  {
    variable: 'GYEOL_KEYS',
    otherwise: '<home>/keys',
    meaning: 'Directory of `<side>.keyring` and, unless given otherwise, `<side>.passphrase`',
  },
  {
    variable: 'GYEOL_TLS',
    otherwise: '<home>/tls',
    meaning: 'Directory of `ca.pem`, `server.pem` and `server.key`',
  },
  {
    variable: 'GYEOL_ORIGIN',
    otherwise: 'gyeol.local/trail',
    meaning: 'Name of the trail in its signed checkpoints; never changed once auditors have it',
  },
  {
    variable: 'GYEOL_DEMO',
    otherwise: '0',
    meaning: '1 lets the published keyrings of `keys.example` be opened. They are worth nothing',
  },
] as const satisfies readonly Setting[]

/** The settings as a table in Markdown. */
export function settingsTable(): string {
  const rows = settings.map(({ variable, otherwise, meaning }) => {
    const value = /[ ]/.test(otherwise) ? otherwise : `\`${otherwise}\``
    return `| \`${variable}\` | ${value} | ${meaning} |`
  })
  return ['| variable | default | meaning |', '|---|---|---|', ...rows].join('\n')
}
