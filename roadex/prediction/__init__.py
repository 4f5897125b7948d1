"""From an image of any size to a road network and its files.

scene (pixels as the file has them) -> view (8 bits at the pixel size of the training) -> scan
(windows through the model into a store) -> network (one graph, in the map's system) -> outputs.
"""
