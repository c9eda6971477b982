import { test } from 'tap'
import { csvPart, deliver, expect, openTestProject, testKey } from '../support/exchange.ts'
import { startTestService } from '../support/service.ts'

const title = { en: 'Title', ko: '제목' }
const column = { type: 'text', lengthMax: 20, title }
const names = ['first', 'second']

function proposal(name: string): { name: string } & Record<string, unknown> {
  return {
    name,
    recipe: {
      version: 'gyeol-1',
      fields: { number: 'identifier', birth: 'identifier' },
      keyTypes: { K1: ['number'], K4: ['birth'] },
    },
    catalogue: {
      name: 'apart',
      version: '1',
      tables: { tumours: { agency: 'registry', title, columns: { site: column } } },
    },
    agencies: [
      { agency: 'registry', isSpine: true, keyTypes: ['K1', 'K4'] },
      { agency: 'insurer', keyTypes: ['K1', 'K4'] },
    ],
  }
}

const keysOf = (serial: string, birth: string) =>
  csvPart('', 1, ['serial,K1,K4', `${serial},${testKey('n')},${testKey(birth)}`])

test('two projects with the same serials have cases of their own', async (t) => {
  const service = await startTestService(t)
  const operator = await service.person('one', ['operator', 'custodian'])
  const two = await service.person('two', ['custodian'])
  const registry = await service.agency('registry')
  const insurer = await service.agency('insurer')
  const linkages: string[] = []
  for (const name of names) {
    await openTestProject([operator, two], proposal(name))
    for (const [agency, part] of [
      [registry, keysOf('r', 'b')],
      [insurer, keysOf('i', 'c')],
    ] as const) {
      await service.jobEnd(operator, (await deliver(agency, name, [part])).job)
    }
    const asked = expect(await operator.post(`/v1/projects/${name}/linkages`), 202).body
    await service.jobEnd(operator, asked.job)
    linkages.push(asked.linkage)
  }
  const casesOf = async (linkage = '') =>
    expect(await operator.get(`/v1/linkages/${linkage}/cases`), 200).body.cases
  const [, later] = linkages
  const [found] = await casesOf(later)
  for (const person of [operator, two]) {
    const said = { verdict: 'must-link', reason: 'The birth was written wrongly' }
    expect(await person.post(`/v1/cases/${found.case}/opinions`, said), 201)
  }
  t.match(await casesOf(later), [{ kind: 'conflict', decision: 'must-link' }])
  t.match(await casesOf(linkages[0]), [{ kind: 'conflict', decision: null, pending: null }])
})
