/** An agency's whole way by commands alone, against the service as `start` runs it. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { z } from 'zod'
import { exitCodes, untrueExitCode } from '../../src/cli/exit-codes.ts'
import { askJson, type Reach } from '../../src/cli/https-json.ts'
import { koreanRecipe } from '../../src/core/recipe.ts'
import { GyeolProcess, gyeol, temporaryDirectory } from '../support/gyeol.ts'
import { until } from '../support/until.ts'

const title = { en: 'Title', ko: '제목' }
const catalogue = {
  name: 'small',
  version: '1',
  tables: {
    registration: {
      agency: 'registry',
      title,
      columns: { site: { type: 'code', lengthMax: 8, required: true, title } },
    },
  },
}
const password = 'a long enough password'
const persons = 200
const anything = z.record(z.string(), z.unknown())

async function signedIn(reach: Reach, name: string): Promise<Reach> {
  const asked = { method: 'POST', path: '/v1/sessions', body: { name, password } } as const
  const { token } = await askJson(reach, asked, z.object({ token: z.string() }))
  return { ...reach, token }
}

/** Files as a small agency has them. */
function writeSources(directory: string): string {
  const rows = Array.from({ length: persons }, (_, index) => {
    const number = String(index).padStart(6, '0')
    return { id: `p${number}`, cells: `p${number},800101-1${number},김${number},19800101,1` }
  })
  const header = 'id,rrn,name,birth,sex'
  writeFileSync(
    join(directory, 'persons.csv'),
    `${[header, ...rows.map(({ cells }) => cells)].join('\n')}\n`,
  )
  const sites = rows.map(({ id }) => `${id},C50`)
  writeFileSync(join(directory, 'sites.csv'), `${['id,site', ...sites].join('\n')}\n`)
  const fields = { registrationNumber: 'rrn', name: 'name', birthDate: 'birth', sex: 'sex' }
  const source = {
    persons: { files: ['persons.csv'], id: 'id', fields, sexCodes: { 1: 'M', 2: 'F' } },
    tables: { registration: { files: ['sites.csv'], person: 'id' } },
  }
  const path = join(directory, 'source.json')
  writeFileSync(path, JSON.stringify(source))
  return path
}

test('an agency enrols, tries its keys, prepares and submits; the service takes it in', async (t) => {
  const directory = temporaryDirectory(t)
  const at = (name: string): string => join(directory, name)
  const environment = { GYEOL_HOME: at('home'), GYEOL_PORT: '0', GYEOL_JOB_MEMORY_MIB: '128' }
  const service = new GyeolProcess(['start'], environment)
  t.teardown(async () => {
    service.child.kill('SIGTERM')
    await service.ended
  })
  await service.says('"msg":"ready"')
  const url = /"url":"(https:[^"]+)","msg":"ready"/.exec(service.out)?.[1] ?? ''
  const ca = at('home/tls/ca.pem')
  const run = async (words: string[], code = 0): Promise<string> => {
    const ending = await gyeol(words, environment)
    t.equal(ending.code, code, `${words.slice(0, 2).join(' ')} ${ending.err}`)
    return ending.out
  }

  writeFileSync(at('password'), password, { mode: 0o600 })
  const add = ['accounts', 'add', '--password-file', at('password')]
  const ceremony = (name: string): Promise<string> =>
    run(['agency', 'ceremony', '--key', at(`${name}.key`), '--canaries', at(`${name}.json`)])
  const enrol = async (): Promise<void> => {
    const certificate = at('registry.pem')
    await run(['agency', 'enroll', '--agency', 'registry', '--out', directory])
    await run(['ca', 'sign', at('registry.csr'), '--agency', 'registry', '--out', certificate])
    const titles = ['--title-en', title.en, '--title-ko', title.ko]
    await run(['agencies', 'add', '--name', 'registry', '--certificate', certificate, ...titles])
    const again = ['agencies', 'add', '--name', 'other', '--certificate', certificate, ...titles]
    await run(again, exitCodes['already-exists'])
  }
  await Promise.all([
    enrol(),
    run([...add, '--name', 'one', '--roles', 'operator,custodian']),
    run([...add, '--name', 'two', '--roles', 'custodian']),
    ceremony('agencies'),
    ceremony('others'),
  ])

  const reach = { url, ca: readFileSync(ca, 'utf8') }
  const one = await signedIn(reach, 'one')
  const body = {
    name: 'small',
    purpose: 'A test',
    catalogue,
    recipe: koreanRecipe,
    rules: { extraction: true },
    canaries: JSON.parse(readFileSync(at('agencies.json'), 'utf8')),
    agencies: [{ agency: 'registry', isSpine: true, keyTypes: ['K1', 'K2'] }],
  }
  await askJson(one, { method: 'POST', path: '/v1/projects', body }, anything)
  const approval = { method: 'POST', path: '/v1/projects/small/approval' } as const
  await askJson(await signedIn(reach, 'two'), approval, anything)
  await until(async () => {
    const { state } = await askJson(one, { method: 'GET', path: '/v1/projects/small' }, anything)
    return state === 'open'
  }, 'the project is open')

  const keys = ['--certificate', at('registry.pem'), '--private-key', at('registry.key')]
  const asAgency = ['--project', 'small', '--url', url, '--ca', ca, ...keys]
  const agenciesKey = ['--agencies-key', at('agencies.key')]
  const canary = ['agency', 'canary', ...asAgency]
  t.match(await run([...canary, ...agenciesKey]), 'every key is right')
  t.match(
    await run([...canary, '--agencies-key', at('others.key')], untrueExitCode),
    /^person 1, K1: unknown/m,
  )

  await run(['agency', 'recipe', ...asAgency, '--out', at('recipe.json')])
  const source = writeSources(directory)
  const prepare = [
    'agency',
    'prepare',
    '--source',
    source,
    '--recipe',
    at('recipe.json'),
    ...agenciesKey,
  ]
  t.match(
    await run([...prepare, '--wave', '1', '--out', at('delivery')]),
    `keys: ${persons} rows in 1 parts`,
  )
  const ended = (job: string): Promise<Record<string, unknown>> =>
    until(async () => {
      const shown = await askJson(one, { method: 'GET', path: `/v1/jobs/${job}` }, anything)
      return ['done', 'failed'].includes(String(shown['state'])) && shown
    }, 'the job has ended')
  const submit = async (name: string): Promise<void> => {
    const told = await run(['agency', 'submit', at(name), ...asAgency, '--json'])
    const { job } = JSON.parse(told)
    t.match(await ended(job), { state: 'done', result: { delivery: 'taken' } }, name)
  }
  await submit('delivery')
  t.match(
    await run(['agency', 'submit', at('delivery'), ...asAgency]),
    '0 parts sent, 2 were there',
  )

  const wave = ['--wave', '2', '--serials', at('delivery/serials.parquet')]
  t.match(
    await run([...prepare, ...wave, '--keys-only', '--out', at('keys')]),
    /^keys: 200 rows in 1 parts\n$/,
  )
  await submit('keys')
  const link = { method: 'POST', path: '/v1/projects/small/linkages' } as const
  const asked = await askJson(one, link, z.object({ job: z.string(), linkage: z.string() }))
  t.match(await ended(asked.job), { state: 'done' })
  const extraction = ['agency', 'extraction', ...asAgency, '--out', at('linked.csv')]
  t.match(await run([...extraction, '--json']), `"linkage":"${asked.linkage}"`)
  await run([...extraction, '--linkage', asked.linkage], exitCodes['already-exists'])
  const lines = readFileSync(at('linked.csv'), 'utf8').trim().split('\n')
  t.equal(lines.length, 1 + persons)
  writeFileSync(at('some.csv'), `${lines.slice(0, 21).join('\n')}\n`)
  const later = ['agency', 'prepare', '--source', source, '--recipe', at('recipe.json'), ...wave]
  const tables = [...later, '--tables-only', '--only', at('some.csv'), '--out', at('tables')]
  const told = await run([...tables, '--json'])
  t.match(JSON.parse(told).tables, { registration: { rows: 20, notWanted: 180 } })
  await run([...tables, '--keys-only'], exitCodes['option-unknown'])
  await submit('tables')

  t.match(
    await run(['agency', 'doubt', at('some.csv'), ...asAgency]),
    'the next linkage makes cases of what is linked',
  )
  const tickets = ['agency', 'tickets', ...asAgency, '--out', at('tickets'), '--json']
  t.match(await run(tickets), '{"tickets":[],"files":[]}')
  const answer = ['agency', 'answer', asked.linkage]
  await run([...answer, at('linked.csv'), ...asAgency.slice(2)], exitCodes['not-found'])
  await run([...answer, at('missing.csv'), ...asAgency.slice(2)], exitCodes['not-found'])
})
