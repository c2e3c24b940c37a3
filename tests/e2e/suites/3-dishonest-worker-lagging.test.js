// The same suite where finality lags, as it does on a parachain.

import '../lib/lagging.js';
import './3-dishonest-worker.test.js';
