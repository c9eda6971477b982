/**
 * The configuration of one process: the environment, checked once and frozen. Nothing else reads
 * variables, and a variable of ours that nobody knows is refused, for it is a spelling mistake that
 * would pass unnoticed.
 */
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { Refusal } from '../core/errors.ts'
import type { settings } from './settings.ts'

const text = z.string().min(1).max(4096)
const whole = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,7}$/)
    .transform(Number)
    .pipe(z.int().min(least).max(most))
const url = (protocol: RegExp) => z.url({ protocol }).max(4096)

/**
 * The variables as they may come. An empty one counts as not set: that is what compose files make
 * of a missing value.
 */
const environmentSchema = z.object({
  GYEOL_HOME: text.default('./var'),
  DATABASE_URL: url(/^postgres(ql)?$/).optional(),
  REDIS_URL: url(/^rediss?$/).optional(),
  GYEOL_HOST: text.default('127.0.0.1'),
  GYEOL_PORT: whole(0, 65_535).default(8443),
  GYEOL_LOG_LEVEL: z.enum(['silent', 'error', 'warn', 'info', 'debug']).default('info'),
  GYEOL_SCRATCH: text.optional(),
  GYEOL_JOBS: whole(1, 256).optional(),
  GYEOL_JOB_MEMORY_MIB: whole(64, 1_048_576).default(400),
  GYEOL_JOB_THREADS: whole(1, 256).default(2),
  GYEOL_KEYS: text.optional(),
  GYEOL_TLS: text.optional(),
  GYEOL_ORIGIN: z
    .string()
    .regex(/^[a-z0-9][a-z0-9./-]{0,199}$/)
    .default('gyeol.local/trail'),
  GYEOL_DEMO: z
    .enum(['0', '1'])
    .default('0')
    .transform((value) => value === '1'),
})

type Variable = (typeof settings)[number]['variable']

/** What a process was told. Paths are absolute. */
export type Config = Readonly<{
  home: string
  databaseUrl: string | undefined
  redisUrl: string | undefined
  host: string
  port: number
  logLevel: 'silent' | 'error' | 'warn' | 'info' | 'debug'
  /** undefined: the default place, which depends on the machine. */
  scratch: string | undefined
  jobs: number
  jobMemoryMiB: number
  jobThreads: number
  keys: string
  tls: string
  origin: string
  demo: boolean
}>

/**
 * The configuration in an environment.
 *
 * @throws {Refusal} `option-unknown`, naming the variable: never its value, which may be a
 *   password.
 */
export function configOf(environment: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.entries(environment).filter(
    ([, value]) => value !== undefined && value !== '',
  )
  const known: ReadonlySet<string> = new Set(Object.keys(environmentSchema.shape))
  for (const [name] of given) {
    if (name.startsWith('GYEOL_') && !known.has(name)) refuse(name, 'is not known')
  }
  const parsed = environmentSchema.safeParse(Object.fromEntries(given))
  if (!parsed.success) return refuse(String(parsed.error.issues[0]?.path[0]), 'has a wrong value')
  const values = parsed.data
  const home = resolve(values.GYEOL_HOME)
  return Object.freeze({
    home,
    databaseUrl: values.DATABASE_URL,
    redisUrl: values.REDIS_URL,
    host: values.GYEOL_HOST,
    port: values.GYEOL_PORT,
    logLevel: values.GYEOL_LOG_LEVEL,
    scratch: values.GYEOL_SCRATCH === undefined ? undefined : resolve(values.GYEOL_SCRATCH),
    jobs: values.GYEOL_JOBS ?? availableParallelism(),
    jobMemoryMiB: values.GYEOL_JOB_MEMORY_MIB,
    jobThreads: values.GYEOL_JOB_THREADS,
    keys: resolve(values.GYEOL_KEYS ?? join(home, 'keys')),
    tls: resolve(values.GYEOL_TLS ?? join(home, 'tls')),
    origin: values.GYEOL_ORIGIN,
    demo: values.GYEOL_DEMO,
  })
}

/** The environment that gives this configuration, and nothing else: what a child process gets. */
export function environmentOf(config: Config): Record<string, string> {
  const all: Record<Variable, string | undefined> = {
    GYEOL_HOME: config.home,
    DATABASE_URL: config.databaseUrl,
    REDIS_URL: config.redisUrl,
    GYEOL_HOST: config.host,
    GYEOL_PORT: String(config.port),
    GYEOL_LOG_LEVEL: config.logLevel,
    GYEOL_SCRATCH: config.scratch,
    GYEOL_JOBS: String(config.jobs),
    GYEOL_JOB_MEMORY_MIB: String(config.jobMemoryMiB),
    GYEOL_JOB_THREADS: String(config.jobThreads),
    GYEOL_KEYS: config.keys,
    GYEOL_TLS: config.tls,
    GYEOL_ORIGIN: config.origin,
    GYEOL_DEMO: config.demo ? '1' : '0',
  }
  const given = Object.entries(all).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  )
  return Object.fromEntries(given)
}

function refuse(variable: string, what: 'is not known' | 'has a wrong value'): never {
  throw new Refusal(
    'option-unknown',
    what === 'is not known'
      ? 'This environment variable is not known. Correct its name; `gyeol config` lists all.'
      : 'This environment variable has a wrong value. `gyeol config` says what it may be.',
    { variable: variable.slice(0, 64) },
  )
}
