/** Says what Trino's grammar finds wrong with each statement of a JSON file, as JSON. Bundled before it is run: the package is not made for Node. */
import { readFileSync } from 'node:fs';
import { TrinoSQL } from 'dt-sql-parser';

const parser = new TrinoSQL();
const statements = JSON.parse(readFileSync(process.argv[2], 'utf8'));
process.stdout.write(
  JSON.stringify(statements.map((statement) => parser.validate(statement).map(({ message }) => message))),
);
