"""What searches in a collection are planned by, counted anew after its documents changed."""

from knowledge.store import Store
from knowledge.titles import title_weight
from knowledge.vectors import VectorStore


async def recount(collection: str, *, store: Store, vectors: VectorStore) -> None:
    """Let the database count its rows, and decide from the collection how much of a search goes by titles."""
    model = await vectors.current()
    if model is None:
        return
    await vectors.analyze(model)
    similarity = await vectors.similarity_between_titles(model, collection=collection)
    titles = await store.titles(collection=collection)
    per_title = sum(map(len, titles.values())) / len(titles) if titles else None
    await store.set_title_weight(
        collection=collection,
        title_weight=title_weight(similarity=similarity, per_title=per_title),
        title_similarity=similarity,
        chunks_per_title=per_title,
    )
