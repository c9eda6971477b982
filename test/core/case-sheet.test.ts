import { test } from 'tap'
import { caseColumns, caseSheet, type SheetCase } from '../../src/core/case-sheet.ts'

const found: SheetCase = {
  caseId: '00000000-0000-8000-8000-000000000001',
  kind: 'possible',
  state: 'pending',
  agency: 'insurer',
  wave: 2,
  pass: 8,
  pattern: 'x=-n.',
  candidates: 3,
  nameShared: 4,
  decision: null,
  pending: 'must-link',
  pendingBy: 'one',
  answer: null,
  sex: 'F',
  ageBand: '50-54',
  year: 2011,
  recordSex: null,
  recordAgeBand: '85+',
}

test('a case is a line: how its keys agree in words, and no cell is a formula', async (t) => {
  const sheet = caseSheet([found, { ...found, pattern: null, pass: null, agency: '=1+1' }])
  t.equal(sheet.charCodeAt(0), 0xfeff)
  const [header, ...lines] = sheet.slice(1).split('\r\n')
  t.equal(header, caseColumns.join(','))
  const ends = 'must-link,one,,F,50-54,2011,,85+'
  t.same(lines, [
    `${found.caseId},possible,pending,insurer,2,8,differs,agrees,missing,notice,,3,4,,${ends}`,
    `${found.caseId},possible,pending,'=1+1,2,,,,,,,3,4,,${ends}`,
    '',
  ])
})
