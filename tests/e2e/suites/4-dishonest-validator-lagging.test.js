// The same suite where finality lags, as it does on a parachain.

import '../lib/lagging.js';
import './4-dishonest-validator.test.js';
