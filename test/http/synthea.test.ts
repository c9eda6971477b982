/**
 * A new source needs no code: Synthea's tables (27 patients), told to the service and to the agencies' tool as JSON only,
 * from their files to a release.
 */
import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'tap'
import { askRecipe } from '../../src/agency/canaries.ts'
import { openClient } from '../../src/agency/client.ts'
import { prepare } from '../../src/agency/prepare.ts'
import { sourceDescriptionSchema } from '../../src/agency/source-description.ts'
import { submit } from '../../src/agency/submit.ts'
import { makeCohort, openTestProject, takeRelease } from '../support/exchange.ts'
import { reviewersOf } from '../support/reviewers.ts'
import { startTestService } from '../support/service.ts'

const folder = fileURLToPath(new URL('../../../shared/data/synthea-27/', import.meta.url))
const isHere = existsSync(folder)
if (!isHere) console.error('SKIPPED: ../shared/data/synthea-27 is not there, so no new source here')

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8'))
const rowsOf = (name: string): number =>
  readFileSync(join(folder, name), 'utf8').trim().split('\n').length - 1

const rule = { rule: 'keep' }
const policy = {
  name: 'synthea',
  version: '1',
  type: 'A',
  dates: 'relative',
  formats: ['csv'],
  tables: {
    encounters: { columns: { class: rule, code: rule, cost: rule } },
    claims: { columns: { diagnosis: rule, status: rule, outstanding: rule } },
    immunizations: { columns: { vaccine: rule } },
  },
}

test('tables that no line of code knows go the whole way', { skip: !isHere }, async (t) => {
  const service = await startTestService(t)
  const operator = await service.person('one', ['operator', 'custodian'])
  const two = await service.person('two', ['custodian'])
  const agencies = { clinic: await service.agency('clinic'), payer: await service.agency('payer') }
  await openTestProject([operator, two], {
    name: 'synthea',
    catalogue: read('synthea-catalogue.json'),
    recipe: { version: 'gyeol-1', fields: { ssn: 'identifier' }, keyTypes: { K1: ['ssn'] } },
    agencies: [
      { agency: 'clinic', isSpine: true, isDuplicateFree: true, keyTypes: ['K1'] },
      { agency: 'payer', isDuplicateFree: true, keyTypes: ['K1'] },
    ],
  })
  const directory = mkdtempSync(join(tmpdir(), 'gyeol-synthea-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  const descriptions = read('synthea-sources.json') as Record<string, unknown>
  const agenciesKey = randomBytes(32)
  for (const [name, { reach }] of Object.entries(agencies)) {
    const { ca, cert, key } = reach.tls
    const client = openClient({
      url: reach.url,
      ca: String(ca),
      certificate: String(cert),
      privateKey: String(key),
    })
    t.teardown(() => client.close())
    const outDir = join(directory, name)
    await prepare({
      description: sourceDescriptionSchema.parse(descriptions[name]),
      sourceDir: folder,
      outDir,
      agenciesKey,
      recipe: await askRecipe(client, 'synthea'),
      wave: 1,
    })
    const { job, delivery } = await submit({ client, project: 'synthea', dir: outDir })
    const { body } = await service.jobEnd(operator, job ?? '')
    t.match(body.result, { delivery: 'taken', refused: 0, failed: 0 }, name)
    const { parts } = (await operator.get(`/v1/deliveries/${delivery}`)).body
    t.match(parts, [{ state: 'taken' }, { state: 'taken' }])
  }
  const { linkage, cohort } = await makeCohort(service, operator, 'synthea')
  const linked = (await operator.get(`/v1/linkages/${linkage}`)).body
  t.match(linked, { persons: 27, deliveries: [{ linked: 27 }, { linked: 27 }] })
  const files = await takeRelease(service, await reviewersOf(service, operator), { cohort, policy })
  const released = (table: string): string[] =>
    [...files]
      .filter(([name]) => name.startsWith(`data/${table}/`))
      .flatMap(([, bytes]) => bytes.toString().trim().split('\n').slice(1))
  const persons = new Set<string>()
  for (const table of ['encounters', 'claims', 'immunizations']) {
    const rows = released(table)
    t.equal(rows.length, rowsOf(`${table}.csv`), `every row of ${table} has its person`)
    for (const row of rows) persons.add(row.split(',')[0] ?? '')
  }
  t.equal(persons.size, 27, 'the same 27 persons in all tables')
  const whole = Buffer.concat([...files.values()]).toString('latin1')
  const patients = readFileSync(join(folder, 'patients.csv'), 'utf8').trim().split('\n').slice(1)
  for (const line of patients) {
    const [id = '', , , ssn = ''] = line.split(',')
    t.notOk(whole.includes(id) || whole.includes(ssn), 'no id and no number left')
  }
})
