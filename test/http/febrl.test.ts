/**
 * FEBRL through the HTTP path (shared/LINKAGE.md, "Figures to reproduce"): dataset4a as the spine, dataset4b as a second
 * source, K1 from soc_sec_id, no K4. The truth is in rec_id.
 */
import { createHash, createHmac } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'tap'
import type { ApiClient } from '../support/api-client.ts'
import { startTestService, type TestService } from '../support/service.ts'

const folder = new URL('../../../shared/data/febrl/', import.meta.url)
const isHere = existsSync(folder)
if (!isHere) console.error('SKIPPED: ../shared/data/febrl is not there, so nothing is linked here')

const recipe = {
  version: 'gyeol-1',
  fields: { socSecId: 'identifier' },
  keyTypes: { K1: ['socSecId'] },
}

const catalogue = {
  name: 'febrl',
  version: '1',
  tables: {
    person_a: {
      agency: 'febrl-a',
      title: { en: 'Persons', ko: '사람' },
      columns: { truth: { type: 'code', lengthMax: 40, title: { en: 'Truth', ko: '정답' } } },
    },
    person_b: {
      agency: 'febrl-b',
      title: { en: 'Persons', ko: '사람' },
      columns: { truth: { type: 'code', lengthMax: 40, title: { en: 'Truth', ko: '정답' } } },
    },
  },
}

/** Serial (the rec_id), soc_sec_id of every row. */
function rowsOf(name: string): { serial: string; number: string }[] {
  const lines = readFileSync(new URL(name, folder), 'utf8').trim().split('\n')
  const header = (lines[0] ?? '').split(',').map((cell) => cell.trim())
  return lines.slice(1).map((line) => {
    const cells = line.split(',').map((cell) => cell.trim())
    return {
      serial: cells[header.indexOf('rec_id')] ?? '',
      number: cells[header.indexOf('soc_sec_id')] ?? '',
    }
  })
}

async function deliver(
  service: TestService,
  agency: ApiClient,
  what: { table: string; rows: { serial: string; number: string }[] },
): Promise<string> {
  const keyOf = (number: string): string =>
    number === '' ? '' : createHmac('sha256', 'a key of the agencies').update(number).digest('hex')
  const keys = what.rows.map(({ serial, number }) => `${serial},${keyOf(number)}`)
  const truth = what.rows.map(({ serial }) => `${serial},${serial.split('-')[1]}`)
  const parts = [
    { table: '', path: 'keys/1', text: `serial,K1\n${keys.join('\n')}\n` },
    {
      table: what.table,
      path: `tables/${what.table}/1`,
      text: `serial,truth\n${truth.join('\n')}\n`,
    },
  ]
  const opened = await agency.post('/v1/projects/febrl/deliveries', { wave: 1 })
  const { delivery } = opened.body
  const listed = []
  for (const { table, path, text } of parts) {
    const bytes = Buffer.from(text)
    await agency.put(`/v1/deliveries/${delivery}/${path}`, bytes)
    listed.push({
      table,
      number: 1,
      rows: what.rows.length,
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      mediaType: 'text/csv',
    })
  }
  const manifest = { format: 'gyeol-manifest-1', wave: 1, parts: listed }
  const submitted = await agency.post(`/v1/deliveries/${delivery}/submission`, manifest)
  const ended = await service.jobEnd(agency, submitted.body.job)
  if (ended.body.result?.delivery !== 'taken') {
    console.error(
      JSON.stringify(
        [submitted.body, ended.body, (await agency.get(`/v1/deliveries/${delivery}`)).body],
        null,
        1,
      ),
    )
  }
  return delivery
}

test('links exactly the 4,561 FEBRL pairs that share a number, and no wrong one', {
  skip: !isHere,
}, async (t) => {
  const service = await startTestService(t)
  const one = await service.person('one', ['operator', 'custodian'])
  const two = await service.person('two', ['custodian'])
  const spine = await service.agency('febrl-a')
  const other = await service.agency('febrl-b')
  const proposed = await one.post('/v1/projects', {
    name: 'febrl',
    purpose: 'The published figures',
    catalogue,
    recipe,
    agencies: [
      { agency: 'febrl-a', isSpine: true, keyTypes: ['K1'] },
      { agency: 'febrl-b', keyTypes: ['K1'] },
    ],
  })
  t.equal(proposed.status, 201, JSON.stringify(proposed.body))
  t.equal((await one.post('/v1/projects/febrl/approval')).status, 403, 'nobody approves their own')
  t.equal((await two.post('/v1/projects/febrl/approval')).status, 202)
  for (let tries = 0; tries < 100; tries += 1) {
    if ((await one.get('/v1/projects/febrl')).body.state === 'open') break
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  t.equal((await one.get('/v1/projects/febrl')).body.state, 'open')

  await deliver(service, spine, { table: 'person_a', rows: rowsOf('dataset4a.csv') })
  const delivery = await deliver(service, other, {
    table: 'person_b',
    rows: rowsOf('dataset4b.csv'),
  })
  const wanted = await one.post('/v1/projects/febrl/linkages')
  t.equal(wanted.status, 202, JSON.stringify(wanted.body))
  await service.jobEnd(one, wanted.body.job)
  const linkage = (await one.get(`/v1/linkages/${wanted.body.linkage}`)).body
  t.equal(linkage.state, 'linked')
  t.equal(linkage.persons, 5000)
  const map = linkage.deliveries.find((each: { delivery: string }) => each.delivery === delivery)
  t.equal(map.serials, 5000)
  t.equal(map.linked, 4561)
})
