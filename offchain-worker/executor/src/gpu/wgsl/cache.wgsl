// Layout of the keys and values of a layer: pages of 32 positions, so that a sequence is a run of pages and a
// prefix of it a shorter run.
//
// A page holds, for each key/value head of d elements, in words:
//
// | words | content |
// |---|---|
// | 8 d | keys: vector `32 * g + o` of four words is elements `16 * g ..` of position o |
// | 8 d | values: byte `32 * e + o` is element e of position o, so that four positions are a word |
// | d | scales of the keys: `32 * b + o` is that of block b of position o |
// | d | scales of the values, likewise |

const PAGE = 32u;

// First word of a head in a page, for heads of `dim` elements.
fn page_word(page: u32, heads: u32, head: u32, dim: u32) -> u32 {
    return (page * heads + head) * 18u * dim;
}
