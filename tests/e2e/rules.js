// Sets rules of a development chain, by sudo:
//
//   node tests/e2e/rules.js PORT CHANGES
//
// CHANGES is JSON, such as '{"claims": {"minCheckRate": 1000000}, "requests": {"room": 1}}': changes to the
// present rules, for later requests.

import { Chain, key } from './lib/chain.js';
import { readRules, setRules, withChanges } from './lib/rules.js';

const [port, changes] = process.argv.slice(2);
const chain = await Chain.connect(Number(port));
const rules = withChanges(await readRules(chain), JSON.parse(changes));
await chain.send(chain.call('sudo.sudo', setRules(chain, rules)), key('//Alice'));
await chain.disconnect();
